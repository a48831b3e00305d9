/**
 * Finds Firefox on Linux and macOS. Builds that accept an archive without Mozilla's signature come first: ESR, Developer
 * Edition, Nightly, then the release.
 */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isProgram, pathFolders } from '../host/find-program.ts';
import { homeFolder } from '../host/own-files.ts';

const LINUX_NAMES = [
  'firefox-esr',
  'firefox-developer-edition',
  'firefox-devedition',
  'firefox-nightly',
  'firefox',
] as const;
const LINUX_PATHS = [
  '/opt/firefox-esr/firefox',
  '/opt/firefox-developer-edition/firefox',
  '/opt/firefox-nightly/firefox',
  '/opt/firefox/firefox',
  '/usr/lib/firefox-esr/firefox-esr',
  '/usr/lib/firefox/firefox',
  '/snap/bin/firefox',
] as const;
const MAC_APPS = ['Firefox ESR', 'Firefox Developer Edition', 'Firefox Nightly', 'Firefox'] as const;

export interface Places {
  platform: NodeJS.Platform;
  /** The variable PATH. */
  path: string;
  home: string;
}

/** Every path where Firefox may be, in the order of preference. */
export function candidates({ platform, path, home }: Places): string[] {
  if (platform === 'darwin') {
    const folders = ['/Applications', join(home, 'Applications')];
    return MAC_APPS.flatMap((app) =>
      folders.map((folder) => join(folder, `${app}.app`, 'Contents', 'MacOS', 'firefox')),
    );
  }
  const folders = pathFolders(path);
  return [...LINUX_NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...LINUX_PATHS];
}

/** A path that names an application of macOS means the program in it. */
function programOf(path: string): string {
  return path.endsWith('.app') ? join(path, 'Contents', 'MacOS', 'firefox') : path;
}

function placesOf(env: Readonly<Record<string, string | undefined>>): Places {
  return { platform: process.platform, path: env.PATH ?? '', home: homeFolder() };
}

/** What was looked for, without a line for each folder of PATH. */
function lookedFor({ platform, home }: Places): string {
  if (platform === 'darwin') {
    return `${MAC_APPS.map((app) => `${app}.app`).join(', ')} in /Applications and ${join(home, 'Applications')}`;
  }
  return `${LINUX_NAMES.join(', ')} in the folders of PATH, and ${LINUX_PATHS.join(', ')}`;
}

/**
 * The program to start: the named one, else the first that is found and, when there are several, suits `prefers`.
 *
 * @throws Error that says what was looked for and what to do
 */
export function findFirefox(
  named: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  prefers: (program: string) => boolean,
): string {
  if (named !== undefined) {
    const program = programOf(named);
    if (isProgram(program)) return program;
    throw new Error(`--firefox: ${program} is not a program; name the firefox executable or the .app of macOS`);
  }
  const places = placesOf(env);
  const found = candidates(places).filter(isProgram);
  const program = found.find(prefers) ?? found[0];
  if (program !== undefined) return program;
  throw new Error(
    `no Firefox was found. Looked for ${lookedFor(places)}. Install Firefox ESR or Developer Edition, or name one with --firefox`,
  );
}

/** The folder with the facts of that build: beside the program behind all links, or in the application of macOS. */
export function applicationFolders(program: string): string[] {
  const folder = dirname(realpathSync(program));
  return [folder, join(folder, '..', 'Resources')];
}
