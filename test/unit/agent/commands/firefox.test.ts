import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandDeps } from '../../../../local-agent/commands/deps.ts';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const RELEASE_INI =
  'RemotingName=firefox\nVersion=145.0\nSourceRepository=https://hg.mozilla.org/releases/mozilla-release\n';
const ESR_INI =
  'RemotingName=firefox-esr\nVersion=140.0\nSourceRepository=https://hg.mozilla.org/releases/mozilla-esr140\n';

/** A Firefox that is never started, with that `application.ini`. */
function fakeFirefox(ini: string): string {
  const program = join(tempDir(), 'firefox');
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  writeFileSync(join(dirname(program), 'application.ini'), ini);
  return program;
}

async function runFirefox(args: readonly string[], over: Partial<CommandDeps> = {}) {
  const world = commandWorld(() => ({}), over);
  const code = await runCli(['firefox', ...args], world.deps);
  return { code, err: world.stderr(), out: world.stdout(), calls: world.calls };
}

describe('the options of conductor firefox', () => {
  it.each([
    ['a preference without a value', ['--pref', 'a.b'], 'It must be NAME=VALUE.'],
    ['another manifest', ['--manifest', '4'], 'Allowed choices are 2, 3.'],
    ['an option of Firefox as the address', ['--', '-P'], "'-P' is invalid for argument 'url'. It must be an http://"],
    ['a word that is no address', ['nonsense'], "'nonsense' is invalid for argument 'url'. It must be an http://"],
    ['an address of a file', ['file:///etc/passwd'], "'file:///etc/passwd' is invalid for argument 'url'"],
    ['a script as the address', ['javascript:alert(1)'], "'javascript:alert(1)' is invalid for argument 'url'"],
    ['a second address', ['https://a.test', 'https://b.test'], 'too many arguments'],
  ])('%s is refused before anything is started', async (_name, args, message) => {
    const { code, err, calls } = await runFirefox(args);
    expect([code, calls]).toEqual([2, []]);
    expect(err).toContain(message);
  });

  it('the help names what the page may be', async () => {
    const { out } = await runFirefox(['--help']);
    const text = out.replace(/\s+/g, ' ');
    expect(text).toContain('an http:// or https:// address, chatgpt, claude, gemini for the start page of that site');
  });

  it('the help names every option', async () => {
    const { code, out } = await runFirefox(['--help']);
    expect(code).toBe(0);
    for (const option of [
      '--firefox',
      '--profile',
      '--headless',
      '--pref',
      '--bidi',
      '--temporary',
      '--manifest',
      '[url]',
    ]) {
      expect(out).toContain(option);
    }
  });
});

describe('conductor firefox without what it needs', () => {
  it('says how to start the agent when none is known', async () => {
    const { code, err } = await runFirefox([], { env: { BAA_ROOT: '/srv/baa', BAA_SHARED_TOKEN: 'node' } });
    expect(code).toBe(2);
    expect(err).toContain('no agent is known for /srv/baa');
    expect(err).toContain('npm start -- --root /srv/baa');
  });

  it('a release build is refused with what to do, and no profile is made', async () => {
    const root = tempDir();
    const program = fakeFirefox(RELEASE_INI);
    const { code, err, calls } = await runFirefox(['--root', root, '--headless', '--firefox', program]);
    expect([code, calls, readdirSync(root)]).toEqual([1, [], []]);
    expect(err).toContain(`${program} is the release of Firefox 145.0`);
    expect(err).toContain('npm run extension:sign');
    expect(err).toContain('--temporary');
  });

  it.runIf(process.platform === 'linux')('says that there is no display', async () => {
    const { code, err } = await runFirefox(['--root', tempDir(), '--firefox', fakeFirefox(ESR_INI)]);
    expect(code).toBe(1);
    expect(err).toContain('there is no display');
    expect(err).toContain('--headless');
  });

  it('a profile of something else is left as it is', async () => {
    const profile = tempDir();
    writeFileSync(join(profile, 'prefs.js'), 'user_pref("mine", true);\n');
    const args = ['--root', tempDir(), '--headless', '--firefox', fakeFirefox(ESR_INI), '--profile', profile];
    const { code, err, calls } = await runFirefox(args);
    expect([code, calls]).toEqual([1, []]);
    expect(err).toContain('is not empty and not a profile of conductor firefox');
    expect(readdirSync(profile)).toEqual(['prefs.js']);
  });
});
