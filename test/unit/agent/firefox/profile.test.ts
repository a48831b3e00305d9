import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openIdentity, originOf, reserveProfile } from '../../../../local-agent/firefox/profile.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('the identity of a browser', () => {
  it('is chosen once and kept in the profile, for this user only', () => {
    const profile = join(tempDir(), 'firefox', 'profile');
    const first = openIdentity(profile);
    expect(openIdentity(profile)).toEqual(first);
    expect(originOf(first)).toMatch(/^moz-extension:\/\/[0-9a-f-]{36}$/);
    expect(first.client_id).toMatch(/^firefox-[0-9a-f]{12}$/);
    expect([modeOf(profile), modeOf(join(profile, 'conductor-firefox.json'))]).toEqual([0o700, 0o600]);
  });

  it('is never made in the profile of something else', () => {
    const profile = tempDir();
    writeFileSync(join(profile, 'prefs.js'), '');
    expect(() => openIdentity(profile)).toThrow('is not empty and not a profile of conductor firefox');
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

  it('an empty profile is still one to be used after it was reserved', () => {
    const profile = tempDir();
    const release = reserveProfile(profile);
    expect(openIdentity(profile).token).toBeNull();
    release();
  });

  it.runIf(process.platform === 'linux')('the link of a Firefox that has ended does not count', () => {
    const profile = tempDir();
    // No process has that id: it is above the largest of Linux.
    symlinkSync('127.0.1.1:+4194305', join(profile, 'lock'));
    reserveProfile(profile)();
  });

  it.runIf(process.platform === 'linux')('the id of a Firefox that has ended may be that of another program', () => {
    const profile = tempDir();
    symlinkSync('127.0.1.1:+1', join(profile, 'lock'));
    reserveProfile(profile)();
  });
});
