import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareMessage } from '../../../../local-agent/instructions/ingest-body.ts';
import type { Turns } from '../../../../local-agent/lib/turns.ts';
import { approvalInTurns, approvalOf } from '../../../../local-agent/policy/approval.ts';
import type { ToolCall } from '../../../../local-agent/tools/tool-call.ts';
import { CaseReport } from '../../../fuzz/fuzzer.ts';
import { block, finalMessage } from '../instructions/instruction-host.ts';
import { ToolRun } from '../tools/tool-run.ts';

const LIMIT = 64;
const MAX_SILENCE_MS = 250;
const tools = new ToolRun();

/** A path below the root whose absolute form has so many names; the folders have that name, the last is `x`. */
function pathOf(levels: number, name = 'a'): string {
  const above = tools.root.split('/').filter(Boolean).length;
  return `${`${name}/`.repeat(levels - above - 1)}x`;
}

const newFile = (path: string) => `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+text\n`;

/** Makes folders one in another, deeper than a path of the system may be long in one step. */
function makeDeep(levels: number): string {
  const path = pathOf(levels);
  mkdirSync(join(tools.root, path), { recursive: true });
  return path;
}

async function silenceOf(run: () => Promise<unknown>): Promise<number> {
  const report = new CaseReport();
  await report.watch(run);
  return report.longestSilenceMs;
}

describe('a path of the deepest level that is allowed', () => {
  it.each(['a', 'é'])('a file in missing folders named %s is written without a long silence', async (name) => {
    const path = pathOf(LIMIT, name);
    const write = async () =>
      expect(await tools.run('conductor::files/write', { path, content: 'text' })).toMatchObject({
        status: 'succeeded',
      });
    expect(await silenceOf(write)).toBeLessThan(MAX_SILENCE_MS);
    expect(tools.read(path)).toBe('text');
  });

  it('a patch of several files in missing folders has no long silence', async () => {
    const paths = ['b', 'c', 'd', 'e'].map((name) => pathOf(LIMIT).replace('a', name));
    const patch = async () =>
      expect(await tools.run('conductor::files/patch', { patch: paths.map(newFile).join('') })).toMatchObject({
        status: 'succeeded',
      });
    expect(await silenceOf(patch)).toBeLessThan(MAX_SILENCE_MS);
  });

  it('a file is patched, read, found and named in an approval without a long silence', async () => {
    const path = pathOf(LIMIT);
    const cwd = path.slice(0, -2);
    const run = async () => {
      const patched = await tools.run('conductor::files/patch', { patch: newFile(path) });
      expect(patched.output).toContain(path);
      expect(await tools.run('conductor::files/read', { path })).toMatchObject({ output: 'text\n' });
      expect((await tools.run('conductor::files/list', { pattern: '**' })).output).toBe(`${path}\n`);
      expect(await tools.run('conductor::files/list', { pattern: '*', cwd })).toMatchObject({ output: 'x\n' });
      expect(await tools.run('conductor::exec', { argv: ['cat', 'x'], cwd })).toMatchObject({ output: 'text\n' });
    };
    expect(await silenceOf(run)).toBeLessThan(MAX_SILENCE_MS);
    const approval = async () => {
      const asked = approvalOf('conductor::exec', { argv: ['cat', path] }, tools.roots);
      expect(Object.keys(asked.file_hashes)).toEqual([join(tools.root, path)]);
    };
    expect(await silenceOf(approval)).toBeLessThan(MAX_SILENCE_MS);
  });
});

describe('a message that asks a person about many deep files', () => {
  const messageOf = (argvs: readonly string[][]) =>
    finalMessage(block(...argvs.map((argv) => `@conductor::exec::${JSON.stringify({ argv })}`)));
  const prepare = (message: ReturnType<typeof messageOf>) => {
    const hostPolicy = {
      judge: () => ({ decision: 'ask', rule: 'test' }) as const,
      approvalInTurns: ({ name, params }: ToolCall, turns: Turns) => approvalInTurns(name, params, tools.roots, turns),
    };
    return prepareMessage(message, hostPolicy, { asked_seq: 0, asked_at: 0 });
  };
  const argvOf = (count: number, folder: string) => Array.from({ length: count }, (_none, n) => `${folder}/f${n}`);

  it('files that exist are described without a long silence, as one approval describes them', async () => {
    const folder = pathOf(LIMIT).slice(0, -2);
    mkdirSync(join(tools.root, folder), { recursive: true });
    for (const path of argvOf(200, folder)) writeFileSync(join(tools.root, path), path);
    const argv = argvOf(200, folder);
    const run = async () => {
      const { approvals } = await prepare(messageOf([argv, argv, argv]));
      // The other two are described at their turn.
      expect([...approvals.keys()]).toEqual([0]);
      expect(approvals.get(0)).toEqual(approvalOf('conductor::exec', { argv }, tools.roots));
      expect(Object.keys(approvals.get(0)?.file_hashes ?? {}).length).toBeGreaterThan(10);
    };
    expect(await silenceOf(run)).toBeLessThan(MAX_SILENCE_MS);
  });

  it('many files in one deep folder cost hardly more than in the root, in one turn', () => {
    const deep = pathOf(LIMIT).slice(0, -2);
    mkdirSync(join(tools.root, deep), { recursive: true });
    const cheapestOf = (folder: string) => {
      const argv = argvOf(256, folder);
      for (const path of argv) writeFileSync(join(tools.root, path), path);
      const costs = Array.from({ length: 4 }, () => {
        const before = process.threadCpuUsage();
        expect(Object.keys(approvalOf('conductor::exec', { argv }, tools.roots).file_hashes)).toHaveLength(256);
        const { user, system } = process.threadCpuUsage(before);
        return user + system;
      });
      return Math.min(...costs);
    };
    expect(cheapestOf(deep) / cheapestOf('.')).toBeLessThan(5);
  });

  it('files that are missing cost little also in one turn', async () => {
    const argv = argvOf(256, pathOf(LIMIT - 2)).map((path) => `--file=${path}`);
    const run = async () => {
      for (let n = 0; n < 4; n += 1) approvalOf('conductor::exec', { argv }, tools.roots);
    };
    expect(await silenceOf(run)).toBeLessThan(4 * MAX_SILENCE_MS);
  });
});

describe('a path one level deeper than is allowed', () => {
  const refused = { status: 'failed', error_code: 'invalid_path' };

  it('a tool refuses it as its path, in its patch and as its folder, names the limit, and makes nothing', async () => {
    const path = pathOf(LIMIT + 1);
    const calls = [
      tools.run('conductor::files/write', { path, content: 'text' }),
      tools.run('conductor::files/write', { path: 'x', cwd: path, content: 'text' }),
      tools.run('conductor::files/read', { path }),
      tools.run('conductor::files/patch', { patch: newFile(path) }),
      tools.run('conductor::files/list', { pattern: '*', cwd: path }),
      tools.run('conductor::files/search', { text: 'text', cwd: path }),
      tools.run('conductor::exec', { argv: ['pwd'], cwd: path }),
    ];
    for (const result of await Promise.all(calls)) {
      expect(result).toMatchObject({ ...refused, output: expect.stringMatching(/\d+ levels, and at most 64 are/) });
    }
    expect(readdirSync(tools.root)).toEqual([]);
  });

  it.each([100, 900, 1_900])('a path of %i levels is refused without a long silence', async (levels) => {
    const path = pathOf(levels);
    const run = async () => {
      expect(await tools.run('conductor::files/write', { path, content: 'text' })).toMatchObject(refused);
      expect(await tools.run('conductor::exec', { argv: ['pwd'], cwd: path })).toMatchObject(refused);
      approvalOf('conductor::exec', { argv: ['cat', path] }, tools.roots);
    };
    expect(await silenceOf(run)).toBeLessThan(MAX_SILENCE_MS);
  });

  it('a link does not lead to it', async () => {
    const deep = makeDeep(400);
    writeFileSync(join(tools.root, deep, 'file'), 'text');
    symlinkSync(join(tools.root, deep), join(tools.root, 'link'));
    const run = async () => {
      expect(await tools.run('conductor::files/read', { path: 'link/file' })).toMatchObject(refused);
      expect(await tools.run('conductor::files/write', { path: 'link/new', content: '' })).toMatchObject(refused);
      expect(await tools.run('conductor::exec', { argv: ['pwd'], cwd: 'link' })).toMatchObject(refused);
    };
    expect(await silenceOf(run)).toBeLessThan(MAX_SILENCE_MS);
    expect(readdirSync(join(tools.root, deep))).toEqual(['file']);
  });

  it('list and search pass over the folders that lead to it, and say so', async () => {
    writeFileSync(join(tools.root, makeDeep(400), 'file'), 'text');
    for (const [name, params] of [
      ['conductor::files/list', { pattern: '**' }],
      ['conductor::files/search', { text: 'text' }],
    ] as const) {
      const silence = await silenceOf(async () => {
        const { output } = await tools.run(name, params);
        expect(output).toMatch(/\n\[skipped: 1 deeper than paths may be \(64 levels\): [a/]+\]\n$/);
      });
      expect(silence).toBeLessThan(MAX_SILENCE_MS);
    }
  });

  it('an approval of a program names it as not bound', () => {
    const argv = ['cat', pathOf(LIMIT + 1)];
    const { display, file_hashes } = approvalOf('conductor::exec', { argv }, tools.roots);
    expect(file_hashes).toEqual({});
    expect(display).toMatch(/Not bound: .* is a path of 65 levels/);
  });
});
