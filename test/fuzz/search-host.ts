/** A random tree on disk, the tools that run in it, and the programs that they are compared with. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRoots } from '../../local-agent/host/roots.ts';
import { redactor } from '../../local-agent/lib/redact.ts';
import { runHostTool } from '../../local-agent/tools/registry.ts';
import type { ToolContext } from '../../local-agent/tools/tool.ts';
import { newMark } from '../../local-agent/worker-runner/left-behind.ts';
import type { ToolParams } from '../../schema/contracts/tools.ts';
import type { CaseReport } from './fuzzer.ts';
import type { RandomTree } from './random-tree.ts';
import { makeTree } from './random-tree.ts';

const NOTE = /^\[(skipped: |no file matches |folders below |more than |ended after |nothing found )/;

function contextOf(root: string): ToolContext {
  return {
    roots: openRoots([root], []),
    redact: redactor(null, { env: {}, readFile: () => null }),
    env: {},
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    newTemporaryName: () => 'temporary',
    keeper: () => () => undefined,
    mark: newMark(),
    onProcess: () => undefined,
    onOutput: () => undefined,
  };
}

export class SearchHost {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'conductor-fuzz-')));
  readonly #report: CaseReport;

  constructor(tree: RandomTree, report: CaseReport) {
    this.#report = report;
    makeTree(this.root, tree);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** The lines of a tool's output without its notes. @throws when the tool fails */
  async lines<N extends 'conductor::files/list' | 'conductor::files/search'>(
    name: N,
    params: ToolParams<N>,
  ): Promise<string[]> {
    const context = contextOf(this.root);
    const { status, output } = await this.#report.watch(() =>
      runHostTool(name, params, context, () => performance.now()),
    );
    if (status !== 'succeeded') throw new Error(`${name} ${JSON.stringify(params)}: ${output}`);
    return output.split('\n').filter((line) => line !== '' && !NOTE.test(line));
  }

  /** The paths of a list of files that match a glob. */
  async list(pattern: string): Promise<string[]> {
    const lines = await this.lines('conductor::files/list', { pattern, limit: 5_000 });
    return lines.map((line) => (line.startsWith('"') ? (JSON.parse(line) as string) : line));
  }

  /** What a program prints in a folder, with no settings of the user's. */
  run(argv: readonly [string, ...string[]], folder = this.root): string {
    const [program, ...args] = argv;
    const env = { PATH: process.env.PATH, HOME: this.root, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
    try {
      return execFileSync(program, args, { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) {
      // ripgrep ends with 1 when nothing matches, and with 2 when every file is ignored.
      const { status, stdout, stderr } = error as { status?: number; stdout?: string; stderr?: string };
      if (program === 'rg' && (status === 1 || status === 2) && stdout === '' && stderr === '') return '';
      throw error;
    }
  }
}

/** @throws with the difference and the tree when the two lists differ */
export function compare(ours: readonly string[], theirs: readonly string[], tree: unknown): void {
  const missing = theirs.filter((path) => !ours.includes(path));
  const extra = ours.filter((path) => !theirs.includes(path));
  if (missing.length + extra.length > 0) throw new Error(JSON.stringify({ missing, extra, tree }));
}
