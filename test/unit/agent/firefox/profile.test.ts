import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openIdentity, originOf, reserveProfile } from '../../../../local-agent/firefox/profile.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

/** A profile that this command has made. */
function ourProfile(): string {
  const profile = tempDir();
  const release = reserveProfile(profile);
  openIdentity(profile);
  release();
  return profile;
}

describe('the identity of a browser', () => {
  it('is chosen once and kept in the profile, for this user only', () => {
    const profile = join(tempDir(), 'firefox', 'profile');
    const release = reserveProfile(profile);
    const first = openIdentity(profile);
    release();
    reserveProfile(profile)();
    expect(openIdentity(profile)).toEqual(first);
    expect(originOf(first)).toMatch(/^moz-extension:\/\/[0-9a-f-]{36}$/);
    expect(first.client_id).toMatch(/^firefox-[0-9a-f]{12}$/);
    expect([modeOf(profile), modeOf(join(profile, 'conductor-firefox.json'))]).toEqual([0o700, 0o600]);
  });

  it('is never made in the profile of something else', () => {
    const profile = tempDir();
    writeFileSync(join(profile, 'prefs.js'), '');
    expect(() => reserveProfile(profile)).toThrow('is not empty and not a profile of conductor firefox');
    expect(readdirSync(profile)).toEqual(['prefs.js']);
  });

  it('a damaged file is named', () => {
    const profile = tempDir();
    writeFileSync(join(profile, 'conductor-firefox.json'), '{"client_id":');
    expect(() => openIdentity(profile)).toThrow(`${join(profile, 'conductor-firefox.json')} is damaged`);
  });
});

describe('reserving a profile', () => {
  it('a second conductor firefox on it is refused until the first releases it', () => {
    const profile = tempDir();
    const release = reserveProfile(profile);
    expect(() => reserveProfile(profile)).toThrow(`another conductor firefox runs on the profile ${profile}`);
    release();
    reserveProfile(profile)();
  });

  it.runIf(process.platform === 'linux')('is refused while a Firefox has it open', async () => {
    const profile = ourProfile();
    const firefox = spawn('sleep', ['60'], { argv0: 'firefox', stdio: 'ignore' });
    onTestFinished(() => void firefox.kill());
    await once(firefox, 'spawn');
    symlinkSync(`127.0.1.1:+${firefox.pid}`, join(profile, 'lock'));
    expect(() => reserveProfile(profile)).toThrow(
      `a Firefox already uses the profile ${profile}, with the process id ${firefox.pid}; close it (kill ${firefox.pid})`,
    );
  });

  it.runIf(process.platform === 'linux').each([
    ['of no process', 4_194_305],
    ['of another program', 1],
  ])('a link that a dead Firefox has left, with the id %s, does not count', (_whose, pid) => {
    const profile = ourProfile();
    symlinkSync(`127.0.1.1:+${pid}`, join(profile, 'lock'));
    reserveProfile(profile)();
  });
});
