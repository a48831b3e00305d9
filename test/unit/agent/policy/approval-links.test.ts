/**
 * Approvals of a program against a chat that lays out symbolic links. Each attack runs with the real file tools, and ends
 * with a `Makefile` or a module that a person has not seen.
 */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UndoStore } from '../../../../local-agent/host/undo.ts';
import type { Effect } from '../../../../local-agent/policy/approval-drift.ts';
import { HostPolicy } from '../../../../local-agent/policy/host-policy.ts';
import { newMark } from '../../../../local-agent/worker-runner/left-behind.ts';
import type { HostTool, ToolParams } from '../../../../schema/contracts/tools.ts';
import { until } from '../../../support/until.ts';
import { tempFolder } from '../host/workspace.ts';

let base: string;
let root: string;
let policy: HostPolicy;
let effects: Effect[];

beforeEach(() => {
  base = tempFolder();
  root = join(base, 'src');
  effects = [];
  policy = new HostPolicy({
    policyFile: { current: () => null },
    workspace: root,
    protectedPaths: [],
    env: { PATH: process.env.PATH },
    timeouts: { timeoutMs: 10_000, execTimeoutMs: 10_000 },
    monotonic: () => performance.now(),
    undo: new UndoStore(join(base, 'undo')),
    newTemporaryName: () => 'temporary',
  });
  for (const file of ['good/sub/Makefile', 'evil/sub/Makefile', 'real/Makefile', 'lib/x.js', 'p/main.js']) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), file);
  }
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const LINK = (target: string) => `--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+${target}\n\\ No newline at end of file\n`;
const MAKE_LINK = (target: string) => `diff --git a/link b/link\nnew file mode 120000\n${LINK(target)}`;
const MOVE_LINK = `diff --git a/link b/link
index 1..2 120000
--- a/link
+++ b/link
@@ -1 +1 @@
-good
\\ No newline at end of file
+evil
\\ No newline at end of file
`;

/** Runs a tool of this host, which must succeed. */
async function run<N extends HostTool>(name: N, params: ToolParams<N>): Promise<void> {
  const signal = new AbortController().signal;
  const instructionId = `ins_${effects.length}`;
  const result = await policy.perform(name, params, {
    signal,
    mark: newMark(),
    onProcess: () => {},
    onOutput: () => {},
    instructionId,
  });
  expect(result).toMatchObject({ status: 'succeeded' });
  effects.push({ instruction_id: instructionId, name, params });
}
const patch = (text: string) => run('conductor::files/patch', { patch: text });
const write = (path: string, overwrite = true) =>
  run('conductor::files/write', { path, content: 'evil', overwrite } as ToolParams<'conductor::files/write'>);

const make = (cwd: string, ...rest: string[]) => ({
  name: 'conductor::exec' as const,
  params: { argv: ['make', ...rest], cwd },
});
const hashOf = (call: ReturnType<typeof make>) => policy.approval(call).approval_hash;

/** Why the approval of the call is void when `change` ran after a person was asked. */
async function driftAfter(call: ReturnType<typeof make>, change: () => Promise<void>): Promise<string | null> {
  effects = [];
  const askedAt = Date.now() + 40;
  await until(() => Date.now() > askedAt);
  await change();
  return policy.drift(call, effects, askedAt);
}

describe('an approval of a program is void when meanwhile', () => {
  it('a patch led a link above its folder to another folder', async () => {
    await patch(MAKE_LINK('good'));
    expect(await driftAfter(make('link/sub'), () => patch(MOVE_LINK))).toContain('has changed');
    expect(readFileSync(join(root, 'link', 'sub', 'Makefile'), 'utf8')).toBe('evil/sub/Makefile');
  });

  it.each([
    ['a file was written through a link to its folder', 'real', 'link/Makefile'],
    ['a file was written by the real path of its folder, which the call names by a link', 'link', 'real/Makefile'],
  ])('%s', async (_what, cwd, path) => {
    await patch(MAKE_LINK('real'));
    expect(await driftAfter(make(cwd), () => write(path))).toContain(`has changed ${join(root, 'real', 'Makefile')}`);
    expect(readFileSync(join(root, 'real', 'Makefile'), 'utf8')).toBe('evil');
  });

  it('a file was written in a folder that a link below its folder leads to', async () => {
    symlinkSync('../lib', join(root, 'p', 'lib'));
    expect(await driftAfter(make('p'), () => write('lib/x.js'))).toContain(`has changed ${join(root, 'lib', 'x.js')}`);
  });

  it('a program changed a file in a folder that a link below its folder leads to', async () => {
    symlinkSync('../lib', join(root, 'p', 'lib'));
    const cp = () => run('conductor::exec', { argv: ['cp', 'good/sub/Makefile', 'lib/x.js'] });
    expect(await driftAfter(make('p'), cp)).toContain(`${join(root, 'lib', 'x.js')} has changed`);
  });
});

describe('what an approval binds when a link leads to it', () => {
  it('the folder is bound and shown by its real path, so that a moved link gives another hash', async () => {
    await patch(MAKE_LINK('good'));
    expect(policy.approval(make('link/sub')).cwd).toBe(join(root, 'good', 'sub'));
    const before = hashOf(make('link/sub'));
    await patch(MOVE_LINK);
    expect(policy.approval(make('link/sub')).cwd).toBe(join(root, 'evil', 'sub'));
    expect(hashOf(make('link/sub'))).not.toBe(before);
  });

  it('a named file is bound and shown by its real path, also when the content is the same', async () => {
    writeFileSync(join(root, 'evil', 'sub', 'Makefile'), 'good/sub/Makefile');
    await patch(MAKE_LINK('good'));
    const call = make('.', '-f', 'link/sub/Makefile');
    const { approval_hash, file_hashes, display } = policy.approval(call);
    expect(Object.keys(file_hashes)).toEqual([join(root, 'good', 'sub', 'Makefile')]);
    expect(display).toContain(`these files: ${join(root, 'good', 'sub', 'Makefile')}.`);
    await patch(MOVE_LINK);
    expect(hashOf(call)).not.toBe(approval_hash);
  });

  it('two named links that change places give another hash', () => {
    const link = (one: string, two: string) => {
      for (const [name, target] of Object.entries({ one, two })) {
        rmSync(join(root, name), { force: true });
        symlinkSync(target, join(root, name));
      }
      return hashOf(make('.', 'one', 'two'));
    };
    expect(link('lib/x.js', 'p/main.js')).not.toBe(link('p/main.js', 'lib/x.js'));
  });

  it('a named folder is bound by its real path', async () => {
    await patch(MAKE_LINK('good'));
    const before = hashOf(make('.', '-C', 'link'));
    await patch(MOVE_LINK);
    expect(hashOf(make('.', '-C', 'link'))).not.toBe(before);
  });

  it('a folder behind a link to nothing is bound once the link leads to one', () => {
    symlinkSync('later', join(root, 'link'));
    const before = hashOf(make('link'));
    mkdirSync(join(root, 'later'));
    expect(hashOf(make('link'))).not.toBe(before);
  });
});
