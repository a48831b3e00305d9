import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { Prompts } from '../../../../local-agent/commands/prompts.ts';
import { UndoStore } from '../../../../local-agent/host/undo.ts';
import { makeVisible } from '../../../../schema/domain/visible.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { instructionRow } from '../../../support/instruction-row.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const HASH = 'a'.repeat(64);
const ROW = instructionRow({ params: { command: 'make' }, policy: { decision: 'ask', rule: 'exec.shell' } });
const APPROVAL = { display: 'script:\nmake', approval_hash: HASH, cwd: '/w', env_names: [], file_hashes: {} };

const notAsked = () => Promise.reject(new Error('a question too many'));
const NO_PROMPTS: Prompts = { text: notAsked, secret: notAsked, choose: notAsked, confirm: notAsked };

function edge(status = 'awaiting_approval') {
  const respond = ({ method, path }: CommandCall): unknown => {
    if (method === 'GET') return { ...ROW, status, approval: APPROVAL, events: [] };
    const statuses: Record<string, string> = { approve: 'claimed', deny: 'denied', cancel: 'canceled' };
    return { ...ROW, status: statuses[path.split('/').at(-1) ?? ''] };
  };
  return commandWorld(respond);
}

describe('what a chat wrote into an approval', () => {
  const hostile = 'rm x\u001b]0;owned\u0007\u001b[2J\u009b1A\u202e\u200b';
  const world = (isTerminal: boolean) => {
    const approval = { ...APPROVAL, display: hostile, cwd: hostile };
    const made = commandWorld(() => ({ ...ROW, gate: hostile, approval, events: [] }));
    return { ...made, deps: { ...made.deps, isTerminal } };
  };

  it.each(['approve', 'show'])('reaches no terminal as it is, by instructions %s', async (verb) => {
    for (const isTerminal of [true, false]) {
      const { deps, out } = world(isTerminal);
      await runCli(['instructions', verb, 'ins_1'], deps);
      expect(out.join('\n')).toContain('rm x\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{9b}1A\\u{202e}\\u{200b}');
      const shown = stripVTControlCharacters(out.join(''));
      expect(makeVisible(shown)).toBe(shown);
    }
  });

  const FORGED = 'p\nenv_names      -\napproval_hash  forged\u0440\u0430yroll';
  const worldOf = (over: Record<string, unknown>) =>
    commandWorld(() => ({ ...ROW, approval: { ...APPROVAL, ...over }, output_summary: FORGED, events: [] }));

  it.each([
    ['cwd', { cwd: FORGED }],
    ['env_names', { env_names: [FORGED] }],
    ['the path of a file', { file_hashes: { [FORGED]: HASH } }],
    ['display', { display: FORGED }],
  ])('forges no field of instructions approve or show by a line break in %s', async (_what, over) => {
    for (const verb of ['approve', 'show']) {
      const { deps, stdout } = worldOf(over);
      await runCli(['instructions', verb, 'ins_1'], deps);
      const lines = stdout().split('\n');
      expect(lines.filter((line) => line.startsWith('env_names'))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('approval_hash'))).toEqual([`approval_hash  ${HASH}`]);
    }
  });

  it('shows look-alike letters in cwd, env_names and the path of a file marked', async () => {
    const letters = '\u0440\u0430yroll';
    const { deps, stdout } = worldOf({ cwd: letters, env_names: [letters], file_hashes: { [letters]: HASH } });
    await runCli(['instructions', 'approve', 'ins_1'], deps);
    expect(stdout()).not.toContain(letters);
    expect(stdout().match(/\\u\{440\}\\u\{430\}yroll/g)).toHaveLength(3);
  });

  it('is JSON of the same value with --json, without a control character', async () => {
    const { deps, out } = world(false);
    await runCli(['instructions', 'show', 'ins_1', '--json'], deps);
    expect(JSON.parse(out.join('\n')).approval.display).toBe(hostile);
    expect(out.join('')).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe('instructions', () => {
  it('list says what would run, on one short line in which nothing is invisible', async () => {
    const row = { ...ROW, params: { argv: ['git', 'push', '\u202e', 'x'.repeat(200)] } };
    const world = commandWorld(() => ({ items: [row], next_cursor: null }));
    expect(await runCli(['instructions', 'list'], world.deps)).toBe(0);
    expect(world.stdout()).toMatch(/conductor::exec \{"argv":\["git","push","\\u202e","x{50,80}…/);
  });

  it('approve without --hash shows what waits and approves nothing', async () => {
    const world = edge();
    expect(await runCli(['instructions', 'approve', 'ins_1'], world.deps)).toBe(2);
    expect(world.stdout()).toContain('display\n  script:\n  make');
    expect(world.stderr()).toContain(`--hash ${HASH}`);
    expect(world.calls.map(({ method }) => method)).toEqual(['GET']);
  });

  it.each([
    ['npm', { npm_lifecycle_event: 'conductor' }, 'npm run conductor --'],
    ['the linked program', {}, 'conductor'],
  ])('approve run by %s prints the line that approves, for the same root', async (_how, env, program) => {
    const { deps, stderr } = edge();
    const line = `instructions approve ins_1 --hash ${HASH}`;
    const withEnv = { ...deps, env: { ...deps.env, ...env } };
    await runCli(['instructions', 'approve', 'ins_1', '--root', '/srv/my root'], withEnv);
    await runCli(['instructions', 'approve', 'ins_1'], withEnv);
    expect(stderr().split('\n')).toEqual([
      `to approve exactly this: ${program} ${line} --root '/srv/my root'`,
      `to approve exactly this: ${program} ${line}`,
    ]);
  });

  it('approve on a terminal shows what waits, asks, and approves exactly what was shown', async () => {
    const world = edge();
    const confirm = async (question: string) => {
      expect(question).toBe('Run exactly this, as ins_1?');
      expect(world.stdout()).toContain('script:');
      return true;
    };
    const deps = { ...world.deps, prompts: { ...NO_PROMPTS, confirm } };
    expect(await runCli(['instructions', 'approve', 'ins_1'], deps)).toBe(0);
    expect(world.calls[1]).toMatchObject({ path: '/v1/instructions/ins_1/approve', body: { approval_hash: HASH } });
    expect(world.out.at(-1)).toBe('ins_1 is claimed');
  });

  it('approve on a terminal approves nothing without a yes', async () => {
    const world = edge();
    const deps = { ...world.deps, prompts: { ...NO_PROMPTS, confirm: async () => false } };
    expect(await runCli(['instructions', 'approve', 'ins_1'], deps)).toBe(1);
    expect(world.calls.map(({ method }) => method)).toEqual(['GET']);
    expect(world.err).toEqual(['ins_1 still waits. To deny it: conductor instructions deny ins_1']);
  });

  it('approve with --json asks nothing', async () => {
    const world = edge();
    const deps = { ...world.deps, prompts: NO_PROMPTS };
    expect(await runCli(['instructions', 'approve', 'ins_1', '--json'], deps)).toBe(2);
  });

  it('approve with the hash approves exactly that', async () => {
    const world = edge();
    expect(await runCli(['instructions', 'approve', 'ins_1', '--hash', HASH], world.deps)).toBe(0);
    expect(world.calls[1]).toMatchObject({ path: '/v1/instructions/ins_1/approve', body: { approval_hash: HASH } });
    expect(world.stdout()).toContain('ins_1 is claimed');
  });

  it('approve of an instruction that does not wait exits with 1, without a word on how to call it', async () => {
    const world = edge('succeeded');
    expect(await runCli(['instructions', 'approve', 'ins_1', '--hash', HASH], world.deps)).toBe(1);
    expect(world.stderr()).toBe('conductor: ins_1 does not wait for approval: it is succeeded');
  });

  it('approve names the command that resubmits when the instruction was stopped', async () => {
    const world = edge('expired');
    expect(await runCli(['instructions', 'approve', 'ins_1'], world.deps)).toBe(1);
    expect(world.stderr()).toContain(
      'it is expired. To have its message judged again: conductor instructions resubmit ins_1',
    );
  });

  it('resubmit sends the message of the instruction to be judged again', async () => {
    const sent = { message_id: 'msg_1', command_id: 'cmd_1', controller_id: 'node-1' };
    const world = commandWorld(({ method }: CommandCall) =>
      method === 'GET' ? { ...ROW, status: 'expired', approval: null, events: [] } : sent,
    );
    expect(await runCli(['instructions', 'resubmit', 'ins_1', '--reason', 'late'], world.deps)).toBe(0);
    expect(world.calls[1]).toMatchObject({
      method: 'POST',
      path: '/v1/messages/msg_1/resubmit',
      body: { reason: 'late' },
    });
    expect(world.stdout()).toContain('msg_1 is sent to node-1');
  });

  it('deny and cancel send the reason', async () => {
    const world = edge();
    await runCli(['instructions', 'deny', 'ins_1', '--reason', 'no'], world.deps);
    expect(world.calls[1]?.body).toEqual({ approval_hash: HASH, reason: 'no' });
    await runCli(['instructions', 'cancel', 'ins_1'], world.deps);
    expect(world.calls[2]).toMatchObject({ path: '/v1/instructions/ins_1/cancel', body: {} });
  });
});

describe('undo', () => {
  function replaced() {
    const root = realpathSync(tempDir());
    const file = join(root, 'workspace', 'a');
    mkdirSync(join(root, 'workspace'));
    writeFileSync(file, 'new');
    const keep = new UndoStore(join(root, 'state', 'undo')).keeper('ins_1');
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    keep({
      path: file,
      entry: { type: 'file', bytes: Buffer.from('old'), mode: 0o644, owner },
      after: Buffer.from('new'),
    });
    return { file, world: commandWorld(() => ({}), { env: { BAA_ROOT: root } }) };
  }

  it('undo restores what an instruction replaced, without the edge', async () => {
    const { file, world } = replaced();
    expect(await runCli(['undo', 'ins_1'], world.deps)).toBe(0);
    expect([readFileSync(file, 'utf8'), world.stdout()]).toEqual(['old', `restored ${file}`]);
    expect(await runCli(['undo', 'ins_1'], world.deps)).toBe(1);
    expect(world.calls).toEqual([]);
  });

  it('undo leaves files that have changed since, unless --force is given', async () => {
    const { file, world } = replaced();
    writeFileSync(file, 'edited');
    expect(await runCli(['undo', 'ins_1'], world.deps)).toBe(1);
    expect(world.stderr()).toContain('--force');
    expect(readFileSync(file, 'utf8')).toBe('edited');
    expect(await runCli(['undo', 'ins_1', '--force'], world.deps)).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });
});
