/**
 * Which Firefox a program is, from the files beside it: `application.ini` names the branch that it was built from, and
 * `channel-prefs.js` its update channel. Release and beta builds accept signed extensions only, as a constant of the
 * build that no setting changes; ESR, Developer Edition, Nightly and unbranded builds have a preference for it.
 */
import { join } from 'node:path';
import { readOwnFile } from '../host/own-files.ts';
import { applicationFolders } from './find.ts';

export type BuildKind = 'esr' | 'developer' | 'nightly' | 'unbranded' | 'beta' | 'release' | 'unknown';

export interface FirefoxBuild {
  kind: BuildKind;
  /** Null when the build does not say. */
  version: string | null;
  /** The facts that say so, for a person. */
  evidence: string;
}

/** The texts of the two files; null for one that is not there. */
export interface BuildFiles {
  applicationIni: string | null;
  channelPrefs: string | null;
}

const NAMES: Readonly<Record<BuildKind, string>> = {
  esr: 'Firefox ESR',
  developer: 'Firefox Developer Edition',
  nightly: 'Firefox Nightly',
  unbranded: 'an unbranded Firefox',
  beta: 'Firefox Beta',
  release: 'the release of Firefox',
  unknown: 'a Firefox of an unknown kind',
};

const CHANNELS: Readonly<Record<string, BuildKind>> = {
  esr: 'esr',
  aurora: 'developer',
  nightly: 'nightly',
  default: 'unbranded',
  beta: 'beta',
  release: 'release',
};

/** By the names of Mozilla's branches, and for Developer Edition by its own name, as it is built from beta. */
function kindOfSource(repository: string, remotingName: string): BuildKind | null {
  if (/aurora|-dev/.test(remotingName)) return 'developer';
  if (repository.includes('mozilla-esr')) return 'esr';
  if (repository.includes('mozilla-central')) return 'nightly';
  if (repository.includes('mozilla-beta')) return 'beta';
  if (repository.includes('mozilla-release')) return 'release';
  return null;
}

export function judgeBuild({ applicationIni, channelPrefs }: BuildFiles): FirefoxBuild {
  const entry = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(applicationIni ?? '')?.[1]?.trim() ?? '';
  const [repository, remotingName, version] = [entry('SourceRepository'), entry('RemotingName'), entry('Version')];
  const channel = /pref\("app\.update\.channel",\s*"([^"]*)"\)/.exec(channelPrefs ?? '')?.[1];
  // A distribution may name a channel of its own, so the source counts first, and its own name in `channel` second.
  const byChannel = channel === undefined ? null : (CHANNELS[channel.replace(/-cck-.*$/, '')] ?? null);
  const bySource = kindOfSource(repository, remotingName);
  const kind = byChannel === 'developer' || byChannel === 'esr' ? byChannel : (bySource ?? byChannel ?? 'unknown');
  const facts = [
    repository && `application.ini: SourceRepository=${repository}`,
    remotingName && `RemotingName=${remotingName}`,
    channel !== undefined && `channel-prefs.js: app.update.channel=${channel}`,
  ].filter(Boolean);
  return { kind, version: version || null, evidence: facts.join(', ') || 'no application.ini beside the program' };
}

export function readBuild(program: string): FirefoxBuild {
  const first = (...path: string[]) =>
    applicationFolders(program)
      .map((folder) => readOwnFile(join(folder, ...path)))
      .find((text) => text !== null) ?? null;
  return judgeBuild({
    applicationIni: first('application.ini'),
    channelPrefs: first('defaults', 'pref', 'channel-prefs.js'),
  });
}

export function takesUnsigned({ kind }: FirefoxBuild): boolean {
  return kind !== 'release' && kind !== 'beta';
}

export function buildName({ kind, version }: FirefoxBuild): string {
  return version === null ? NAMES[kind] : `${NAMES[kind]} ${version}`;
}

/** Why an unsigned archive cannot be installed for good, and every way out; null when it can. */
export function signatureProblem(program: string, build: FirefoxBuild): string | null {
  if (takesUnsigned(build)) return null;
  return [
    `${program} is ${buildName(build)} (${build.evidence}), which runs only extensions that Mozilla has signed; no setting changes that. One of these:`,
    '  - use Firefox ESR, Developer Edition or Nightly: install it, or name it with --firefox',
    '  - install the extension until that Firefox is closed: --temporary (a debugging port stays open on loopback)',
    '  - sign it with your own account: npm run extension:sign, open the signed archive in your Firefox, and run pair; docs/firefox.md has the steps',
  ].join('\n');
}
