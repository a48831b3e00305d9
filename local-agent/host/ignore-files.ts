/**
 * Which names ignore files leave out, as Git and ripgrep read them. `.ignore` files decide first, then `.gitignore` files,
 * then `.git/info/exclude`. Within each kind the innermost folder decides, and in a file the last rule that matches.
 * Git's rules end at the repository: rules of the folders around it say nothing about the files in it.
 */
import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMissing } from '../lib/errno.ts';
import type { Turns } from '../lib/turns.ts';
import type { Folder } from './folder.ts';
import type { IgnoreRule } from './ignore-rule.ts';
import { parseIgnoreLine, toByteText } from './ignore-rule.ts';

export const MAX_IGNORE_FILE_BYTES = 256 * 1024;
/** Longer lines are not used, so that the work of one comparison stays small. */
export const MAX_RULE_BYTES = 1_024;
/** Git sets `core.ignoreCase` in repositories on these systems, since their file systems ignore case by default. */
const FOLD_CASE = process.platform === 'darwin' || process.platform === 'win32';
/** Characters compared before the clock is read. */
const WORK_PER_CHECK = 200_000;

const EXCLUDE = 'info/exclude';

type Rules = readonly IgnoreRule[];

/** The rules that one folder has for what is below it. */
export interface FolderRules {
  /** Absolute path of the folder. */
  path: string;
  isRepository: boolean;
  ignore: Rules;
  gitignore: Rules;
  exclude: Rules;
}

/** Called with an ignore file that is not used, or not completely, and why. */
export type OnIgnoreProblem = (file: string, why: string) => void;

/** The bytes of a regular file, one character each. As in Git a link is not followed. */
function readBytes(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new Error('not a regular file');
    if (found.size > MAX_IGNORE_FILE_BYTES) throw new Error(`over ${MAX_IGNORE_FILE_BYTES / 1024} KiB`);
    const bytes = Buffer.alloc(found.size);
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(fd);
  }
}

function readRules(path: string, shownPath: string, onProblem: OnIgnoreProblem): Rules {
  let text: string;
  try {
    text = readBytes(path);
  } catch (error) {
    if (!isMissing(error)) onProblem(shownPath, error instanceof Error ? error.message : String(error));
    return [];
  }
  const lines = text.replace(/^\xef\xbb\xbf/, '').split('\n');
  const usable = lines.filter((line) => line.length <= MAX_RULE_BYTES);
  if (usable.length < lines.length) onProblem(shownPath, `lines over ${MAX_RULE_BYTES} bytes`);
  return usable.flatMap((line) => parseIgnoreLine(line, FOLD_CASE) ?? []);
}

/** The folder of a repository that a `.git` file of a worktree or a submodule leads to. @throws when it leads nowhere */
function linkedGitFolder(gitFile: string, base: string): string {
  const gitFolder = resolve(
    base,
    readBytes(gitFile)
      .replace(/^gitdir: /, '')
      .trimEnd(),
  );
  const common = join(gitFolder, 'commondir');
  return existsSync(common) ? resolve(gitFolder, readBytes(common).trimEnd()) : gitFolder;
}

/** The folder in which Git keeps the repository whose top is `folder`; null when it is no repository. */
function gitFolderOf(folder: Folder): string | null {
  const path = folder.at('.git');
  try {
    const gitFolder = lstatSync(path).isFile() ? linkedGitFolder(path, folder.path) : path;
    return existsSync(join(gitFolder, 'HEAD')) ? gitFolder : null;
  } catch {
    return null;
  }
}

/** Reads the ignore files of an open folder. */
export function rulesIn(folder: Folder, onProblem: OnIgnoreProblem): FolderRules {
  const read = (name: string) => readRules(folder.at(name), join(folder.path, name), onProblem);
  const gitFolder = gitFolderOf(folder);
  return {
    path: folder.path,
    isRepository: gitFolder !== null,
    ignore: read('.ignore'),
    gitignore: read('.gitignore'),
    exclude:
      gitFolder === null ? [] : readRules(join(gitFolder, EXCLUDE), join(folder.path, '.git', EXCLUDE), onProblem),
  };
}

/** A file or folder that rules are asked about. */
export interface RuledEntry {
  folder: string;
  name: string;
  isFolder: boolean;
}

interface Compared {
  name: string;
  /** The path below the folder of the rules. */
  path: string;
  isFolder: boolean;
}

/** What the last rule that matches says; null when none matches. */
async function verdictOf(rules: Rules, { name, path, isFolder }: Compared, turns: Turns): Promise<boolean | null> {
  let work = 0;
  for (let i = rules.length - 1; i >= 0; i--) {
    const rule = rules[i];
    if (rule === undefined || (rule.foldersOnly && !isFolder)) continue;
    const text = rule.wholePath ? path : name;
    if (rule.matches(text)) return !rule.negated;
    work += 1 + rule.weight * text.length;
    if (work < WORK_PER_CHECK) continue;
    work = 0;
    await turns.pass();
  }
  return null;
}

/** Whether the rules, ordered from the outermost folder to the entry's own, leave it out. */
export async function isIgnored(entry: RuledEntry, folders: readonly FolderRules[], turns: Turns): Promise<boolean> {
  const name = toByteText(entry.name);
  let inRepository = true;
  let byGit: boolean | null = null;
  let byExclude: boolean | null = null;
  for (let i = folders.length - 1; i >= 0; i--) {
    const rules = folders[i];
    if (rules === undefined) continue;
    const below = entry.folder.slice(rules.path.length).replace(/^\//, '');
    const path = below === '' ? name : `${toByteText(below)}/${name}`;
    const compared = { name, path, isFolder: entry.isFolder };
    const byIgnore = await verdictOf(rules.ignore, compared, turns);
    if (byIgnore !== null) return byIgnore;
    if (inRepository) {
      byGit ??= await verdictOf(rules.gitignore, compared, turns);
      byExclude ??= await verdictOf(rules.exclude, compared, turns);
    }
    if (rules.isRepository) inRepository = false;
  }
  return byGit ?? byExclude ?? false;
}
