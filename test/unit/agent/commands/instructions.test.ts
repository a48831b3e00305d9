import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { UndoStore } from '../../../../local-agent/host/undo.ts';
import type { JournalEntry } from '../../../../schema/contracts/journal.ts';
import { GENESIS_HASH } from '../../../../schema/contracts/journal.ts';
import { chainHash } from '../../../../schema/domain/journal-chain.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const HASH = 'a'.repeat(64);
const ROW = {
  instruction_id: 'ins_1',
  message_id: 'msg_1',
  local_conversation_id: 'lc_1',
  controller_id: 'node-1',
  block_index: 0,
  index: 0,
  target: 'conductor',
  tool: 'exec',
  params: { command: 'make' },
  status: 'awaiting_approval',
  policy: { decision: 'ask', rule: 'exec.shell' },
  gate: null,
  claim_expires_at: null,
  started_at: null,
  finished_at: null,
  exit_code: null,
  error_code: null,
  duration_ms: null,
  output_summary: null,
  artifact_id: null,
  truncated: false,
  created_at: 1,
  updated_at: 1,
};
const APPROVAL = { display: 'script:\nmake', approval_hash: HASH, cwd: '/w', env_names: [], file_hashes: {} };

function edge(status = 'awaiting_approval') {
  const respond = ({ method, path }: CommandCall): unknown => {
    if (method === 'GET') return { ...ROW, status, approval: APPROVAL, events: [] };
    const statuses: Record<string, string> = { approve: 'claimed', deny: 'denied', cancel: 'canceled' };
    return { ...ROW, status: statuses[path.split('/').at(-1) ?? ''] };
  };
  return commandWorld(respond);
}

describe('instructions', () => {
  it('approve without --hash shows what waits and approves nothing', async () => {
    const world = edge();
    expect(await runCli(['instructions', 'approve', 'ins_1'], world.deps)).toBe(2);
    expect(world.stdout()).toContain('script:\nmake');
    expect(world.stderr()).toContain(`--hash ${HASH}`);
    expect(world.calls.map(({ method }) => method)).toEqual(['GET']);
  });

  it('approve with the hash approves exactly that', async () => {
    const world = edge();
    expect(await runCli(['instructions', 'approve', 'ins_1', '--hash', HASH], world.deps)).toBe(0);
    expect(world.calls[1]).toMatchObject({ path: '/v1/instructions/ins_1/approve', body: { approval_hash: HASH } });
    expect(world.stdout()).toContain('ins_1 is claimed');
  });

  it('approve exits with 2 when the instruction does not wait', async () => {
    const world = edge('succeeded');
    expect(await runCli(['instructions', 'approve', 'ins_1', '--hash', HASH], world.deps)).toBe(2);
    expect(world.stderr()).toContain('it is succeeded');
  });

  it('deny and cancel send the reason', async () => {
    const world = edge();
    await runCli(['instructions', 'deny', 'ins_1', '--reason', 'no'], world.deps);
    expect(world.calls[1]?.body).toEqual({ approval_hash: HASH, reason: 'no' });
    await runCli(['instructions', 'cancel', 'ins_1'], world.deps);
    expect(world.calls[2]).toMatchObject({ path: '/v1/instructions/ins_1/cancel', body: {} });
  });
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function chain(length: number): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  let prev_hash = GENESIS_HASH;
  for (let seq = 1; seq <= length; seq++) {
    const event = {
      chain: 'node-1',
      seq,
      at: seq,
      instruction_id: 'ins_1',
      kind: 'ended',
      controller_id: null,
      detail: {},
    };
    const hash = await chainHash(sha256, prev_hash, event);
    entries.push({ ...event, prev_hash, hash });
    prev_hash = hash;
  }
  return entries;
}

/** An edge that serves a journal in pages of two entries. */
function journalWorld(entries: readonly JournalEntry[], head: JournalEntry | null = entries.at(-1) ?? null) {
  return commandWorld(({ path }) => {
    const after = Number(new URL(path, 'http://x').searchParams.get('after'));
    const items = entries.slice(after, after + 2);
    return { items, next_after: after + 2 < entries.length ? after + 2 : null, head };
  });
}
const verify = (world: ReturnType<typeof commandWorld>) => runCli(['journal', 'verify', '--of', 'node-1'], world.deps);

describe('journal', () => {
  it('verify accepts an intact chain over all pages', async () => {
    const world = journalWorld(await chain(5));
    expect(await verify(world)).toBe(0);
    expect(world.stdout()).toContain('the journal of node-1 is intact: 5 entries');
    expect(world.calls).toHaveLength(3);
  });

  it('verify names the entry at which the chain was altered, cut, reordered or shortened', async () => {
    const whole = await chain(5);
    const cases: [JournalEntry[], number][] = [
      [whole.map((one) => (one.seq === 3 ? { ...one, detail: { exit_code: 0 } } : one)), 3],
      [whole.map((one) => (one.seq === 2 ? { ...one, prev_hash: HASH } : one)), 2],
      [whole.filter(({ seq }) => seq !== 2), 3],
      [[...whole.slice(0, 3), ...whole.slice(4), ...whole.slice(3, 4)], 5],
      [whole.slice(0, 4), 5],
    ];
    for (const [entries, at] of cases) {
      const world = journalWorld(entries, whole.at(-1) ?? null);
      expect(await verify(world)).toBe(1);
      expect(world.stderr()).toContain(`broken at entry ${at}`);
    }
  });

  it('verify detects that the kept end of the chain was lost or set back', async () => {
    const whole = await chain(3);
    for (const head of [null, whole[1] ?? null, { ...whole[2], hash: HASH } as JournalEntry]) {
      const world = journalWorld(whole, head);
      expect(await verify(world)).toBe(1);
      expect(world.stderr()).toContain('broken at entry 3');
    }
  });

  it('export writes one object per line, to a new file with --out', async () => {
    const whole = await chain(3);
    const world = journalWorld(whole);
    expect(await runCli(['journal', 'export', '--of', 'node-1'], world.deps)).toBe(0);
    expect(world.out.map((line) => JSON.parse(line))).toEqual(whole);
    const written: string[] = [];
    const toFile = journalWorld(whole);
    const deps = { ...toFile.deps, writeNewFile: (path: string, text: string) => written.push(path, text) };
    await runCli(['journal', 'export', '--of', 'node-1', '--out', '/x/j.jsonl'], deps);
    expect(written).toEqual(['/x/j.jsonl', whole.map((one) => `${JSON.stringify(one)}\n`).join('')]);
  });
});

describe('undo', () => {
  function replaced() {
    const root = realpathSync(tempDir());
    const file = join(root, 'workspace', 'a');
    mkdirSync(join(root, 'workspace'));
    writeFileSync(file, 'new');
    const keep = new UndoStore(join(root, 'state', 'undo')).keeper('ins_1', Buffer.from('new'));
    keep({ path: file, bytes: Buffer.from('old'), mode: 0o644 });
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
