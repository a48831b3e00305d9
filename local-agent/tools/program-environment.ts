/**
 * The environment of a program: a few variables of the agent, the host's own PATH, a UTF-8 locale, and Git hardened
 * (host/hardened-git.ts). No token is among them. What the call gives comes last; a call with `env` asks a person.
 */
import { delimiter, dirname, isAbsolute, join, sep } from 'node:path';
import { ownAccount } from '../host/account.ts';
import { hardenedGit } from '../host/hardened-git.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';
import { canWrite } from '../host/reachable.ts';
import type { Roots } from '../host/roots.ts';

const INHERITED_VARIABLES = ['LANG', 'LC_ALL', 'LC_CTYPE', 'TMPDIR', 'TZ'];
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';
const UTF8_LOCALE = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
/** No program may wait for a key or draw a screen. */
const NO_TERMINAL = { TERM: 'dumb', PAGER: 'cat' };

type Variables = Readonly<Record<string, string | undefined>>;

export interface ProgramSurroundings {
  env: Record<string, string>;
  /** Where programs are looked up. */
  path: string;
  /** Folders of the host's PATH that were left out, because a chat can write there. */
  leftOut: string[];
  /** What a program that failed should know about its surroundings. */
  notes: string[];
}

/** What npm puts before the PATH of the scripts that it runs: its own tools, and those of every folder above. */
function isAddedByNpm(folder: string): boolean {
  if (folder.endsWith(`${sep}node-gyp-bin`)) return true;
  const project = dirname(dirname(folder));
  return folder.endsWith(join(sep, 'node_modules', '.bin')) && `${PROGRAM_FOLDER}${sep}`.startsWith(join(project, sep));
}

/** The host's PATH: absolute folders, none of them the conductor's own or one that a chat can write to. */
export function hostPath(path: string | undefined, roots: Roots): { path: string; leftOut: string[] } {
  const folders = (path ?? '').split(delimiter).filter((folder) => isAbsolute(folder) && !isAddedByNpm(folder));
  const leftOut = folders.filter((folder) => canWrite(roots, folder));
  const kept = folders.filter((folder) => !leftOut.includes(folder));
  return { path: kept.length > 0 ? kept.join(delimiter) : SYSTEM_PATH, leftOut };
}

function personVariables(own: Variables): Record<string, string> {
  const { username, homedir, shell } = ownAccount();
  const user = own.USER ?? own.LOGNAME ?? username;
  return { HOME: own.HOME ?? homedir, USER: user, LOGNAME: user, SHELL: own.SHELL ?? shell ?? '/bin/sh' };
}

/** A locale in force that is not UTF-8 makes programs garble or refuse text. */
function localeVariables(own: Variables): Record<string, string> {
  const inForce = own.LC_ALL || own.LC_CTYPE || own.LANG || '';
  if (/utf-?8/i.test(inForce)) return {};
  return own.LC_ALL ? { LC_ALL: UTF8_LOCALE } : { LC_CTYPE: UTF8_LOCALE, LANG: own.LANG || UTF8_LOCALE };
}

export function programSurroundings({
  agent,
  given,
  folder,
}: {
  agent: { env: Variables; roots: Roots; programPath?: string | null };
  given: Readonly<Record<string, string>>;
  /** Where the program runs. */
  folder: string;
}): ProgramSurroundings {
  const { env: own, roots, programPath = null } = agent;
  const inherited: Record<string, string> = {};
  for (const name of INHERITED_VARIABLES) if (own[name] !== undefined) inherited[name] = own[name];
  // A PATH that a person has set is taken as it is.
  const { path, leftOut } = programPath === null ? hostPath(own.PATH, roots) : { path: programPath, leftOut: [] };
  const person = personVariables(own);
  const git = hardenedGit({ folder, roots, home: given.HOME ?? person.HOME ?? '/' });
  const env = {
    ...inherited,
    ...person,
    ...localeVariables(own),
    ...NO_TERMINAL,
    ...git.env,
    PATH: path,
    ...given,
  };
  return { env, path: env.PATH, leftOut, notes: git.notes };
}
