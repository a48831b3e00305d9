import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { candidates, findFirefox } from '../../../../local-agent/firefox/find.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const any = () => true;

function programIn(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}

describe('where Firefox is looked for', () => {
  it('on Linux in PATH, builds that take unsigned extensions first', () => {
    const found = candidates({ platform: 'linux', path: '/a:/b', home: '/home/me' });
    expect(found.slice(0, 3)).toEqual(['/a/firefox-esr', '/b/firefox-esr', '/a/firefox-developer-edition']);
    expect(found.indexOf('/b/firefox')).toBeLessThan(found.indexOf('/opt/firefox/firefox'));
  });

  it('on macOS in both folders of applications, the release last', () => {
    const found = candidates({ platform: 'darwin', path: '/usr/bin', home: '/Users/me' });
    expect(found[0]).toBe('/Applications/Firefox ESR.app/Contents/MacOS/firefox');
    expect(found.at(-1)).toBe('/Users/me/Applications/Firefox.app/Contents/MacOS/firefox');
  });
});

describe('finding Firefox', () => {
  it('takes the one that is preferred, else the first', () => {
    const folder = tempDir();
    const [esr, release] = [programIn(folder, 'firefox-esr'), programIn(folder, 'firefox')];
    expect(findFirefox(undefined, { PATH: folder }, (program) => program === release)).toBe(release);
    expect(findFirefox(undefined, { PATH: folder }, () => false)).toBe(esr);
  });

  it('takes the program inside a named application of macOS', () => {
    const folder = tempDir();
    const program = programIn(join(folder, 'Firefox.app', 'Contents', 'MacOS'), 'firefox');
    expect(findFirefox(join(folder, 'Firefox.app'), {}, any)).toBe(program);
  });

  it.each(['missing', '.'])('refuses %j, which is not a program', (name) => {
    const path = join(tempDir(), name);
    expect(() => findFirefox(path, {}, any)).toThrow(`--firefox: ${path} is not a program`);
  });
});
