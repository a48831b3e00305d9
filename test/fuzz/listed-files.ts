/** What the tool lists of a random tree, against what Git and ripgrep find there. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { openRoots } from '../../local-agent/host/roots.ts';
import { redactor } from '../../local-agent/lib/redact.ts';
import { runHostTool } from '../../local-agent/tools/registry.ts';
import type { ToolContext } from '../../local-agent/tools/tool.ts';
import type { CaseReport, Fuzzer } from './fuzzer.ts';
import type { RandomTree } from './random-tree.ts';
import { makeTree, treeArb } from './random-tree.ts';

const NOTE = /^\[(skipped: |no file matches |folders below |more than |ended after )/;

function contextOf(root: string): ToolContext {
  return {
    roots: openRoots([root], []),
    redact: redactor(null, { env: {}, readFile: () => null }),
    env: {},
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    newTemporaryName: () => 'temporary',
    keeper: () => () => undefined,
    onProcess: () => undefined,
    onOutput: () => undefined,
  };
}

/** The files that the tool lists. */
async function listed(root: string, report: CaseReport): Promise<string[]> {
  const params = { pattern: '**', limit: 5_000 };
  const context = contextOf(root);
  const { output } = await report.watch(() =>
    runHostTool('conductor::files/list', params, context, () => performance.now()),
  );
  const lines = output.split('\n').filter((line) => line !== '' && !NOTE.test(line));
  return lines.map((line) => (line.startsWith('"') ? (JSON.parse(line) as string) : line)).sort();
}

/** Runs a program in a folder, with no settings of the user's. Its output is split at NUL. */
function paths(root: string, folder: string, argv: readonly [string, ...string[]]): string[] {
  const [program, ...args] = argv;
  const env = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const output = execFileSync(program, args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output.split('\0').filter(Boolean);
}

/** The files that Git does not ignore, those of repositories below included. */
function byGit(root: string, folder = root): string[] {
  return paths(root, folder, ['git', 'ls-files', '-z', '--others', '--exclude-standard']).flatMap((path) => {
    if (path.endsWith('/')) return byGit(root, join(folder, path)).map((below) => path + below);
    return lstatSync(join(folder, path)).isFile() ? [path] : [];
  });
}

function byRipgrep(root: string): string[] {
  try {
    return paths(root, root, [
      'rg',
      '--files',
      '--hidden',
      '--null',
      '--no-config',
      '--glob',
      '!.git',
      '--no-ignore-global',
    ]);
  } catch (error) {
    // The exit code when there are no files.
    if ((error as { status?: number }).status === 1) return [];
    throw error;
  }
}

function fuzzer(name: string, arb: fc.Arbitrary<RandomTree>, reference: (root: string) => string[]): Fuzzer {
  return {
    name,
    async run(seed, report) {
      const [tree] = fc.sample(arb, { seed, numRuns: 1 });
      if (tree === undefined) throw new Error('no tree');
      const root = realpathSync(mkdtempSync(join(tmpdir(), 'conductor-fuzz-')));
      try {
        makeTree(root, tree);
        const ours = await listed(root, report);
        const theirs = reference(root).sort();
        report.count(theirs.length === 0 ? 'nothing found' : 'files found');
        const missing = theirs.filter((path) => !ours.includes(path));
        const extra = ours.filter((path) => !theirs.includes(path));
        if (missing.length + extra.length === 0) return;
        throw new Error(
          JSON.stringify({ missing, extra, ignoreFiles: tree.ignoreFiles, repositories: tree.repositories }),
        );
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    },
  };
}

export const listedByGit = fuzzer('files listed as by git', treeArb('any', ['.gitignore', '.git/info/exclude']), byGit);
export const listedByRipgrep = fuzzer(
  'files listed as by ripgrep',
  treeArb('plain', ['.gitignore', '.ignore']),
  byRipgrep,
);
