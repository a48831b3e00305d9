import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeBuild, readBuild, signatureProblem, takesUnsigned } from '../../../../local-agent/firefox/build-kind.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const ini = (remotingName: string, repository: string) =>
  `[App]\nVendor=Mozilla\nName=Firefox\nRemotingName=${remotingName}\nVersion=140.1\nSourceRepository=https://hg.mozilla.org/${repository}\n`;
const channel = (name: string) => `pref("app.update.channel", "${name}");\n`;

describe('which Firefox a program is', () => {
  it.each([
    ['ESR', ini('firefox-esr', 'releases/mozilla-esr140'), channel('esr'), 'esr'],
    ['ESR of a distribution', ini('firefox-esr', 'releases/mozilla-esr140'), channel('release'), 'esr'],
    ['ESR with changed settings', ini('firefox-esr', 'releases/mozilla-esr140'), channel('esr-cck-company'), 'esr'],
    ['Developer Edition', ini('firefox-aurora', 'releases/mozilla-beta'), channel('aurora'), 'developer'],
    ['Developer Edition without its channel', ini('firefox-dev', 'releases/mozilla-beta'), null, 'developer'],
    ['Nightly', ini('firefox-nightly', 'mozilla-central'), channel('nightly'), 'nightly'],
    ['Beta', ini('firefox', 'releases/mozilla-beta'), channel('beta'), 'beta'],
    ['the release', ini('firefox', 'releases/mozilla-release'), channel('release'), 'release'],
    ['the release of a distribution', ini('firefox', 'releases/mozilla-release'), channel('default'), 'release'],
    ['a build of one’s own', ini('firefox', 'try'), channel('default'), 'unbranded'],
    ['a program without facts', null, null, 'unknown'],
  ])('%s', (_name, applicationIni, channelPrefs, kind) => {
    expect(judgeBuild({ applicationIni, channelPrefs }).kind).toBe(kind);
  });
});

/** A program with the files of a build, started by a link as `/usr/bin/firefox` is. */
function fakeBuild(files: Record<string, string>, program = 'firefox'): string {
  const folder = tempDir();
  for (const [path, text] of Object.entries({ ...files, [`app/${program}`]: '#!/bin/sh\n' })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o755 });
  }
  const link = join(folder, 'link');
  symlinkSync(join(folder, 'app', program), link);
  return link;
}

describe('a release build', () => {
  const RELEASE = {
    'app/application.ini': ini('firefox', 'releases/mozilla-release'),
    'app/defaults/pref/channel-prefs.js': channel('release'),
  };

  it('is refused with the facts that show it and every way out', () => {
    const program = fakeBuild(RELEASE);
    const build = readBuild(program);
    expect(takesUnsigned(build)).toBe(false);
    const text = signatureProblem(program, build) ?? '';
    expect(text).toContain(`${program} is the release of Firefox 140.1 (application.ini: SourceRepository=`);
    for (const way of ['Firefox ESR, Developer Edition or Nightly', '--temporary', 'npm run extension:sign']) {
      expect(text).toContain(way);
    }
  });

  it('is recognised in an application of macOS', () => {
    const program = fakeBuild(
      { 'app/Resources/application.ini': ini('firefox', 'releases/mozilla-release') },
      'MacOS/firefox',
    );
    expect(readBuild(program).kind).toBe('release');
  });

  it('a build that does not say what it is may be tried', () => {
    expect(signatureProblem('/opt/fork/firefox', readBuild(fakeBuild({})))).toBeNull();
  });
});
