/** Real git repositories for tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { GitContext } from '../../local-agent/worktrees/git-command.ts';
import { tempDir } from './temp-dir.ts';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.invalid',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.invalid',
};

export const GIT_ENV: Record<string, string> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  ...IDENTITY,
};

export function gitContext(): GitContext {
  return { env: GIT_ENV, signal: new AbortController().signal };
}

/** Runs git in a folder, as a person would. */
export function runGit(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd, env: GIT_ENV, encoding: 'utf8' }).trimEnd();
}

/** A repository with one commit on `main`. */
export function newRepo(path = `${tempDir()}/repo`): string {
  mkdirSync(path, { recursive: true });
  runGit(path, 'init', '--quiet', '-b', 'main');
  runGit(path, 'commit', '--quiet', '--allow-empty', '-m', 'begin');
  return path;
}
