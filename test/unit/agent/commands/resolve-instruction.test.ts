import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { instructionRow } from '../../../support/instruction-row.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const ROW = instructionRow({
  tool: 'files/write',
  params: { path: 'a.txt', content: 'new' },
  status: 'interrupted',
  policy: { decision: 'allow', rule: 'files' },
  started_at: 1,
  finished_at: 2,
});

/** The node `node-1` with a workspace, and an edge that has the instruction. */
function world(over: Partial<typeof ROW> = {}) {
  const root = tempDir();
  const workspace = join(root, 'workspace');
  mkdirSync(workspace);
  const made = commandWorld(({ method, body }: CommandCall) => {
    const { outcome } = (body ?? {}) as { outcome?: string };
    if (method === 'GET') return { ...ROW, ...over, events: [] };
    return { ...ROW, ...over, status: outcome === 'done' ? 'succeeded' : 'failed' };
  });
  const deps = { ...made.deps, env: { ...made.deps.env, BAA_ROOT: root, BAA_NODE_ID: 'node-1' } };
  return { ...made, deps, workspace, run: (...argv: string[]) => runCli(['instructions', 'resolve', ...argv], deps) };
}

describe('conductor instructions resolve', () => {
  it.each([
    ['--done', 'done', 'succeeded'],
    ['--not-done', 'not_done', 'failed'],
  ])('%s says it to the edge with the note', async (flag, outcome, status) => {
    const { run, calls, out } = world();
    expect(await run('ins_1', flag, '--note', 'I looked')).toBe(0);
    expect(calls).toMatchObject([
      { method: 'POST', path: '/v1/instructions/ins_1/resolve', body: { outcome, note: 'I looked' } },
    ]);
    expect(out).toEqual([`ins_1 is ${status}`]);
  });

  it.each([
    [['--done'], '--note'],
    [['--note', 'x'], '--done or --not-done'],
    [['--done', '--not-done', '--note', 'x'], '--not-done'],
    [['--check', '--done', '--note', 'x'], '--check'],
  ])('%j is refused before the edge is asked', async (argv, named) => {
    const { run, calls, stderr } = world();
    expect(await run('ins_1', ...argv)).toBe(2);
    expect(stderr()).toContain(named);
    expect(calls).toEqual([]);
  });
});

describe('conductor instructions resolve --check', () => {
  it('prints what this host has, changes nothing, and names the command that says it', async () => {
    const { run, calls, stdout, stderr, workspace } = world();
    writeFileSync(join(workspace, 'a.txt'), 'new');
    expect(await run('ins_1', '--check')).toBe(0);
    expect(calls.map(({ method }) => method)).toEqual(['GET']);
    expect(stdout()).toMatch(/looks +done/);
    expect(stderr()).toContain('instructions resolve ins_1 --done --note');
  });

  it('prints the same for programs with --json', async () => {
    const { run, out } = world();
    expect(await run('ins_1', '--check', '--json')).toBe(0);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ instruction_id: 'ins_1', verdict: 'not_done' });
  });

  it('is refused on another host than the one that ran it, by name', async () => {
    const { run, stderr } = world({ controller_id: 'node-2' });
    expect(await run('ins_1', '--check')).toBe(1);
    expect(stderr()).toContain('node-2');
  });

  it('says that an instruction that is not interrupted needs no word', async () => {
    const { run, stderr } = world({ status: 'succeeded' });
    expect(await run('ins_1', '--check')).toBe(0);
    expect(stderr()).toContain('only an interrupted instruction is resolved');
  });
});
