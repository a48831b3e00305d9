/** What `files/patch` makes of random trees and diffs, against what `git apply` makes of them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRoots } from '../../local-agent/host/roots.ts';
import { UndoStore } from '../../local-agent/host/undo.ts';
import { redactor } from '../../local-agent/lib/redact.ts';
import { runHostTool } from '../../local-agent/tools/registry.ts';
import type { InstructionResult, ToolContext } from '../../local-agent/tools/tool.ts';
import { newMark } from '../../local-agent/worker-runner/left-behind.ts';
import type { CaseReport, Fuzzer } from './fuzzer.ts';
import { differOnlyByLineBreaks, isStricter, linesLostOrCopied, STRICTER, WIDER } from './patch-exceptions.ts';
import { mutate } from './patch-mutations.ts';
import type { Tree } from './patch-trees.ts';
import { changedTree, driftedTree, randomTree, readTree, showTree, writeTree } from './patch-trees.ts';
import { Random } from './random.ts';

const INSTRUCTION = 'ins_fuzz';

interface Case {
  tree: Tree;
  patch: string;
  kinds: string[];
}

function git(
  folder: string,
  args: readonly string[],
  input = '',
): { status: number | null; stdout: string; stderr: string } {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: join(folder, '..'),
  };
  return spawnSync('git', args, { cwd: folder, env, input: Buffer.from(input, 'latin1'), encoding: 'latin1' });
}

/** The diff of two trees, as git writes it. */
function diff(folder: string, random: Random): string {
  const options = [
    `-U${random.pick([0, 1, 2, 3, 3, 3, 5])}`,
    random.pick(['-M', '-C', '--no-renames']),
    ...(random.chance(0.3) ? ['--find-copies-harder'] : []),
    ...(random.chance(0.3) ? ['--full-index'] : []),
  ];
  const quoting = ['-c', `core.quotePath=${random.chance(0.5)}`];
  const { stdout } = git(folder, [...quoting, 'diff', '--no-index', '--no-prefix', '--text', ...options, 'a', 'b']);
  // The folders `a` and `b` become the prefixes; git writes the one folder of a new or removed file twice.
  return stdout
    .replace(/^((?:rename|copy) (?:from|to) "?)[ab]\//gm, '$1')
    .replace(
      /^diff --git ("?)[ab](\/.*) "?[ab]\/.*\n(?=(?:new|deleted) file)/gm,
      (_all, quote: string, name: string) => {
        return `diff --git ${quote}a${name} ${quote}b${name}\n`;
      },
    );
}

function makeCase(folder: string, random: Random): Case {
  const before = randomTree(random);
  writeTree(join(folder, 'a'), before);
  writeTree(join(folder, 'b'), changedTree(random, before));
  const patch = diff(folder, random);
  const isDrifted = random.chance(0.4);
  const tree = isDrifted ? driftedTree(random, before) : before;
  const kinds = isDrifted ? ['drifted'] : [];
  if (patch === '' || random.chance(0.4)) return { tree, patch, kinds };
  const mutated = mutate(patch, random);
  return { tree, patch: mutated.patch, kinds: [...kinds, ...mutated.names] };
}

class Ours {
  readonly #root: string;
  readonly #undo: UndoStore;

  constructor(folder: string) {
    this.#root = join(folder, 'ours');
    this.#undo = new UndoStore(join(folder, 'undo'));
  }

  patch(patch: string): Promise<InstructionResult> {
    let names = 0;
    const context: ToolContext = {
      roots: openRoots([this.#root], []),
      redact: redactor(null, { env: {}, readFile: () => null }),
      env: {},
      signal: new AbortController().signal,
      timeoutMs: 60_000,
      newTemporaryName: () => `.temporary-${names++}`,
      keeper: this.#undo.keeper(INSTRUCTION),
      mark: newMark(),
      onProcess: () => undefined,
      onOutput: () => undefined,
    };
    return runHostTool('conductor::files/patch', { patch }, context, () => performance.now());
  }

  undo(): void {
    const options = { force: false, newTemporaryName: () => '.temporary-undo' };
    this.#undo.undo(INSTRUCTION, openRoots([this.#root], []), options);
  }
}

interface Outcome {
  folder: string;
  tree: Tree;
  patch: string;
  ours: { result: InstructionResult; after: Tree };
  git: { isApplied: boolean; said: string; after: Tree };
}

/** What git makes of the patch when it counts the lines of each hunk again; null when it refuses. */
function recounted(folder: string, tree: Tree, patch: string): Tree | null {
  const at = join(folder, 'recounted');
  writeTree(at, tree);
  const isApplied = git(at, ['apply', '--recount', '--whitespace=nowarn', '-'], patch).status === 0;
  return isApplied ? readTree(at) : null;
}

/** What differs from git and is no declared exception; null when nothing does. */
function differenceOf({ folder, tree, patch, ours, git: theirs }: Outcome, report: CaseReport): string | null {
  const isApplied = ours.result.status === 'succeeded';
  report.count(`${isApplied ? 'applied' : 'refused'}, git ${theirs.isApplied ? 'applied' : 'refused'}`);
  const show = (shown: Tree) => showTree(shown, { exact: false });
  const difference = linesLostOrCopied(tree, ours.after, patch);
  if (isApplied && theirs.isApplied) {
    if (show(ours.after) === show(theirs.after)) return null;
    if (differOnlyByLineBreaks(ours.after, theirs.after)) {
      report.count('applied: added lines of LF get the CRLF of their file');
      return null;
    }
    // Git leaves out the lines of a hunk that exceed its counts.
    const isLost = difference === null && linesLostOrCopied(tree, theirs.after, patch) !== null;
    if (isLost || show(recounted(folder, tree, patch) ?? new Map()) === show(ours.after)) {
      report.count('applied: lines beyond the counts of a hunk, which git leaves out');
      return null;
    }
    return `the results differ\nOURS\n${show(ours.after)}\nGIT\n${show(theirs.after)}`;
  }
  if (isApplied) {
    const exception = WIDER.find(({ git: said }) => said.test(theirs.said));
    if (exception === undefined) return 'git refuses it';
    report.count(`applied: ${exception.name}`);
    return difference === null ? null : `a line was lost or copied: ${difference}`;
  }
  if (!theirs.isApplied) return null;
  const isRecounted = recounted(folder, tree, patch) !== null;
  const exception = STRICTER.find((one) => isStricter(one, patch, ours.result.output) && !(one.counts && isRecounted));
  if (exception === undefined) return 'git applies it';
  report.count(`refused: ${exception.name}`);
  return null;
}

async function compare(folder: string, { tree, patch, kinds }: Case, report: CaseReport): Promise<void> {
  const [oursAt, gitAt] = [join(folder, 'ours'), join(folder, 'git')];
  writeTree(oursAt, tree);
  writeTree(gitAt, tree);
  const start = showTree(tree, { exact: true });
  const tool = new Ours(folder);
  // A patch of an assistant is text; bytes that are no UTF-8 cannot come to the tool.
  const text = Buffer.from(patch, 'latin1').toString('utf8');
  if (text.includes('\ufffd')) return report.count('not UTF-8');
  const result = await report.watch(() => tool.patch(text));
  const applied = git(gitAt, ['apply', '--whitespace=nowarn', '-'], patch);
  const [after, gitAfter] = [readTree(oursAt), readTree(gitAt)];
  // Without the line that says that a file is removed, git takes /dev/null for the name of a file.
  gitAfter.delete('dev/null');
  const fail = (what: string) => {
    const said = [`ours: ${result.error_code} ${result.output}`, `git: ${applied.stderr}`];
    throw new Error([what, kinds.join(', '), ...said, 'TREE', start, 'PATCH', patch].join('\n'));
  };
  if (result.error_code === 'internal') fail('an unexpected error');
  if (result.status !== 'succeeded' && showTree(after, { exact: true }) !== start)
    fail('a refused patch changes files');
  const theirs = { isApplied: applied.status === 0, said: applied.stderr, after: gitAfter };
  const difference = differenceOf({ folder, tree, patch, ours: { result, after }, git: theirs }, report);
  if (difference !== null) fail(difference);
  if (result.status !== 'succeeded') return;
  tool.undo();
  if (showTree(readTree(oursAt), { exact: true }) !== start) fail('undo does not restore what was there');
}

export const patchedAsByGit: Fuzzer = {
  name: 'files patched as by git',
  async run(seed, report) {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'conductor-fuzz-')));
    try {
      await compare(folder, makeCase(folder, new Random(seed)), report);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
