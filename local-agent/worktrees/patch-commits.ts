/**
 * The commits of a task, at the end of its patch: a patch alone has their content, and another host would have no commit to
 * push or merge. They are a Git bundle, so that the commits there are the same ones.
 */
import { appendFileSync, readFileSync, rmSync, statSync } from 'node:fs';
import { COMMITS_LINE, commitsStart } from '../../schema/domain/patch-commits.ts';
import type { GitContext } from './git-command.ts';
import { git, gitSays } from './git-command.ts';

const HEAD = '# head ';
const HEAD_LINE = /^# head ([0-9a-f]{40}(?:[0-9a-f]{24})?)$/;
const LINE = /.{1,76}/g;
/** More are no work of a task, but a history that a step has fetched or merged. */
const MAX_COMMITS = 1_000;

export interface PatchCommits {
  /** The newest commit of the worktree when the patch was made. */
  head: string;
  /** Null when the commits were too large for a checkpoint. */
  bundle: Buffer | null;
}

export interface SplitPatch {
  diff: Buffer;
  /** Null when the worktree was at the base commit, or they could not be added. */
  commits: PatchCommits | null;
}

export function splitPatch(patch: Buffer): SplitPatch {
  const text = patch.toString('latin1');
  const at = commitsStart(text);
  if (at < 0) return { diff: patch, commits: null };
  const part = text.slice(at + COMMITS_LINE.length).trimEnd();
  const [first = '', ...rest] = part.split('\n');
  const diff = patch.subarray(0, at);
  const head = HEAD_LINE.exec(first)?.[1];
  if (head === undefined) return { diff, commits: null };
  const bundle = Buffer.from(rest.map((line) => line.slice(2)).join(''), 'base64');
  return { diff, commits: { head, bundle: bundle.length === 0 ? null : bundle } };
}

function textOf(head: string, bundle: Buffer | null): string {
  const lines = bundle?.toString('base64').match(LINE) ?? [];
  return [COMMITS_LINE, `${HEAD}${head}\n`, ...lines.map((line) => `# ${line}\n`)].join('');
}

interface Work {
  worktree: string;
  baseSha: string;
  /** The patch. */
  file: string;
  /** Of the patch with them. */
  maxBytes: number;
}

/**
 * Adds the commits since the base commit to the patch, or only the name of the newest one where they are too large.
 *
 * @throws GitError when git cannot read them, as on a branch without a commit; the patch is then as it was
 */
export async function appendCommits({ worktree, baseSha, file, maxBytes }: Work, context: GitContext): Promise<void> {
  const head = (await git(worktree, ['rev-parse', '--verify', 'HEAD'], context)).trim();
  if (head === baseSha) return;
  if (!(await gitSays(worktree, ['merge-base', '--is-ancestor', baseSha, head], context))) return;
  const count = Number(await git(worktree, ['rev-list', '--count', `${baseSha}..${head}`], context));
  const room = maxBytes - statSync(file).size;
  const whole = count > MAX_COMMITS ? null : textOf(head, await bundleOf({ worktree, baseSha, file }, room, context));
  appendFileSync(file, whole !== null && whole.length <= room ? whole : textOf(head, null));
}

/** With one thread: the same commits give the same bytes, and an unchanged patch is not saved again. */
async function bundleOf(
  { worktree, baseSha, file }: Omit<Work, 'maxBytes'>,
  room: number,
  context: GitContext,
): Promise<Buffer | null> {
  const path = `${file}.bundle`;
  try {
    await git(worktree, ['-c', 'pack.threads=1', 'bundle', 'create', '--quiet', path, 'HEAD', `^${baseSha}`], context);
    return statSync(path).size > room ? null : readFileSync(path);
  } finally {
    rmSync(path, { force: true });
  }
}
