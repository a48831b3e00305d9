import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RESULT_STATUSES } from '../../../schema/contracts/instructions.ts';
import { DELIVERY } from '../../../schema/defaults.ts';
import { Conductor, EXEC, RESUME } from '../support/conductor.ts';
import { ENTRIES, rowsOf } from '../support/edge.ts';
import { ASKED, bringTo, HASH } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;

const KINDS = {
  allowed: EXEC,
  asked: ASKED,
  control: RESUME,
  denied: { ...EXEC, policy: { decision: 'deny', rule: 'r' } as const },
};
const kind = fc.oneof(
  { weight: 5, arbitrary: fc.constant('allowed' as const) },
  { weight: 2, arbitrary: fc.constantFrom('asked', 'control', 'denied') },
);
/** What happened to an instruction before the report. */
const before = fc.constantFrom('nothing', 'nothing', 'started', 'ended', 'canceled', 'approved', 'denied');
const result = fc.record({
  status: fc.oneof(
    { weight: 3, arbitrary: fc.constant('succeeded' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...RESULT_STATUSES) },
  ),
  output: fc.constantFrom('', 'short', 'a\u0000b\ud800c', 'x'.repeat(DELIVERY.inline_chars + 1)),
  exit_code: fc.option(fc.nat(255)),
  duration_ms: fc.nat(1_000),
  truncated: fc.boolean(),
});
const reported = fc.record({
  started: fc.boolean(),
  text: fc.option(fc.constantFrom('printed', 'a\u0000b')),
  result: fc.option(result, { freq: 4 }),
});
const scene = fc.record({
  instructions: fc.array(fc.record({ kind, before, reported }), { minLength: 1, maxLength: 5, size: 'max' }),
  gate: fc.constantFrom('none', 'none', 'system_paused', 'automation_paused', 'automation_busy'),
});
type Scene = typeof scene extends fc.Arbitrary<infer S> ? S : never;

// A few scenes that stay the same: each costs about thirty requests. test/unit/domain/progress.test.ts tries many.
const RUNS = { numRuns: 16, seed: 4 };
const TIMEOUT_MS = 300_000;

it(
  'one report leaves the same rows as its starts, outputs and results reported one at a time',
  async () => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(scene, async (given) => {
        const together = await play(given, reportTogether);
        expect(together).toEqual(await play(given, reportApart));
        for (const row of together.instructions) {
          if (row.gate !== null) reached.add(row.gate);
          if (row.late_result !== null) reached.add('late_result');
        }
        for (const { kind } of together.journal) reached.add(kind);
        if (together.artifacts.length > 0) reached.add('artifact');
        reached.add(together.message?.reply_due_at === null ? 'message open' : 'message ended');
      }),
      RUNS,
    );
    const expected = ['system_paused', 'late_result', 'output', 'ended', 'artifact', 'message open', 'message ended'];
    expect(expected.filter((what) => !reached.has(what))).toEqual([]);
  },
  TIMEOUT_MS,
);

/** Brings a message, lets happen what precedes the report, reports under the gate, and reads what is stored then. */
async function play({ instructions, gate }: Scene, report: typeof reportTogether) {
  const message = await bringTo(
    conductor,
    instructions.map((one) => KINDS[one.kind]),
  );
  for (const [n, one] of instructions.entries()) await precede(message.ids[n] ?? '', one.before);
  const busy = gate === 'automation_busy' ? await bringTo(conductor, [RESUME], message.remote) : null;
  if (gate === 'automation_paused') await conductor.automation(message.local_conversation_id, 'paused');
  if (gate === 'system_paused') await conductor.mode('pause');
  await report(message.message_id, message.ids, instructions);
  const stored = await read(message);
  if (gate === 'system_paused') await conductor.mode('resume');
  if (busy !== null) await edge.call('POST', `/v1/instructions/${busy.ids[0]}/cancel`, { body: {} });
  return stored;
}

async function precede(id: string, what: string): Promise<void> {
  // What is not possible in its state is refused, and then nothing has happened.
  const decide = { body: { approval_hash: HASH } };
  if (what === 'started') await conductor.act(`/v1/instructions/${id}/started`);
  if (what === 'ended') await conductor.result(id);
  if (what === 'canceled') await edge.call('POST', `/v1/instructions/${id}/cancel`, { body: {} });
  if (what === 'approved') await edge.call('POST', `/v1/instructions/${id}/approve`, decide);
  if (what === 'denied') await edge.call('POST', `/v1/instructions/${id}/deny`, decide);
}

async function reportTogether(messageId: string, ids: string[], instructions: Scene['instructions']): Promise<void> {
  const items = instructions.flatMap(({ reported: { started, text, result } }, n) => {
    const item = {
      ...(started ? { started } : {}),
      ...(text === null ? {} : { output: { offset: 0, text } }),
      ...(result === null ? {} : { result }),
    };
    return Object.keys(item).length === 0 ? [] : [{ instruction_id: ids[n], ...item }];
  });
  await conductor.act(`/v1/messages/${messageId}/progress`, { items });
}

async function reportApart(_messageId: string, ids: string[], instructions: Scene['instructions']): Promise<void> {
  const each = instructions.map(({ reported }, n) => ({ ...reported, path: `/v1/instructions/${ids[n]}` }));
  for (const { path, started } of each) if (started) await conductor.act(`${path}/started`);
  for (const { path, text } of each) {
    if (text !== null) await conductor.act(`${path}/output`, { offset: 0, chunk: text });
  }
  for (const { path, result } of each) if (result !== null) await conductor.act(`${path}/result`, result);
}

const OWN = 'SELECT instruction_id FROM instructions WHERE message_id = ?';
const IDS = ['instruction_id', 'message_id', 'local_conversation_id', 'dedupe_key', 'artifact_id'];

/** All that is stored of a message, with the index of each instruction in the place of its ids. */
async function read({ message_id, local_conversation_id }: { message_id: string; local_conversation_id: string }) {
  const rows = await rowsOf<{ instruction_id: string; index: number; gate: string | null; late_result: string | null }>(
    'SELECT * FROM instructions WHERE message_id = ? ORDER BY "index"',
    message_id,
  );
  const [message] = await rowsOf<{ ingest_status: string; reply_due_at: number | null }>(
    'SELECT ingest_status, reply_due_at FROM messages WHERE message_id = ?',
    message_id,
  );
  const conversation = await rowsOf(
    'SELECT automation_status, pause_reason, execution_failures FROM local_conversations WHERE local_conversation_id = ?',
    local_conversation_id,
  );
  const journal = await rowsOf<{ instruction_id: string; kind: string; detail: string }>(
    `SELECT instruction_id, kind, controller_id, detail FROM ${ENTRIES}
     WHERE instruction_id IN (${OWN}) ORDER BY seq, place`,
    message_id,
  );
  const artifacts = await rowsOf<{ instruction_id: string }>(
    `SELECT instruction_id, kind, content, created_at FROM artifacts WHERE instruction_id IN (${OWN})`,
    message_id,
  );
  const indexOf = (row: { instruction_id: string }) =>
    rows.find((one) => one.instruction_id === row.instruction_id)?.index;
  const comparable = <T extends { instruction_id: string }>(row: T) => ({
    ...row,
    index: indexOf(row),
    ...Object.fromEntries(IDS.filter((name) => name in row).map((name) => [name, null])),
  });
  return {
    instructions: rows.map(comparable),
    message,
    conversation,
    journal: journal.map((row) => ({ ...comparable(row), detail: { ...JSON.parse(row.detail), dedupe_key: null } })),
    artifacts: artifacts.map(comparable).sort((a, b) => Number(a.index) - Number(b.index)),
  };
}
