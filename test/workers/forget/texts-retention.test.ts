/** Texts are removed by their age: what is gone, what stays, the settings of edge and conversation, and the costs. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConversationDetail } from '../../../schema/contracts/conversations.ts';
import type { KeepState, TextsKept } from '../../../schema/contracts/keeping.ts';
import { textsRetention } from '../../../workers/forget/texts-retention.job.ts';
import { Renewals } from '../renewal/support.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';

const DAY = 86_400_000;
const renewals = new Renewals();
const { edge } = renewals;
beforeEach(async () => {
  await rowsOf('DELETE FROM messages');
  await rowsOf('DELETE FROM runner_cursors');
  await noted(90, 0);
  await renewals.lead();
});

/** The edge has had that default since then. */
const noted = (days: number, at: number) =>
  rowsOf(
    `INSERT INTO runner_cursors (runner, position, updated_at) VALUES ('texts.retention/default', ${days}, ${at})
      ON CONFLICT (runner) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`,
  );

const keep = (id: string, days: TextsKept | 'default') =>
  edge.data<KeepState>('POST', `/v1/renewal/conversations/${id}/keep`, { body: { days } });

/** A message whose instruction has printed, and whose reply was delivered. */
async function ran(text: string, remote?: string) {
  const message = await renewals.settled('manual', {
    ...(remote === undefined ? {} : { remote_conversation_id: remote }),
    raw_text: text,
    instructions: instructionsOf({ ...EXEC, params: { argv: ['echo', text] } }),
  });
  const id = message.instructions[0]?.instruction_id ?? '';
  await renewals.act(`/v1/instructions/${id}/started`);
  await renewals.result(id, { output: text });
  await renewals.act(`/v1/messages/${message.message_id}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
  return message;
}

const positions = () => rowsOf('SELECT runner, position FROM runner_cursors ORDER BY runner');

/** Ticks until no walk moves; the number of ticks in which one moved. */
async function ticks(): Promise<number> {
  for (let n = 0; n < 100; n += 1) {
    const before = JSON.stringify(await positions());
    await renewals.tick({ runners: [textsRetention] });
    if (JSON.stringify(await positions()) === before) return n;
  }
  throw new Error('the walks do not end');
}

const textOf = async (id: string) => (await edge.data<{ raw_text: string }>('GET', `/v1/messages/${id}`)).raw_text;

describe('texts that are old', () => {
  it('are removed after 90 days with calls and outputs, and statuses and the journal stay', async () => {
    const old = await ran('an old secret');
    edge.now += 89 * DAY;
    await ticks();
    expect(await textOf(old.message_id)).toBe('an old secret');
    const young = await ran('a young secret');
    edge.now += 2 * DAY;
    await ticks();
    const stored = JSON.stringify(
      await Promise.all(
        ['messages', 'instructions', 'journal_blocks', 'artifacts'].map((t) => rowsOf(`SELECT * FROM ${t}`)),
      ),
    );
    expect(stored).not.toContain('an old secret');
    expect(await textOf(young.message_id)).toBe('a young secret');
    const [row] = await rowsOf('SELECT status FROM instructions WHERE message_id = ?', old.message_id);
    expect(row).toMatchObject({ status: 'succeeded' });
    const kinds = await rowsOf('SELECT entries FROM journal_blocks WHERE message_id = ?', old.message_id);
    expect(JSON.stringify(kinds)).toContain('forgotten');
  });

  it('of a conversation are removed earlier, later or never, as a person sets it there', async () => {
    const [early, late, always, plain] = [
      await ran('early'),
      await ran('late', 'r2'),
      await ran('always', 'r3'),
      await ran('plain', 'r4'),
    ];
    expect(await keep(early.local_conversation_id, 7)).toEqual({ days: 7, is_own: true });
    expect(await keep(late.local_conversation_id, 365)).toEqual({ days: 365, is_own: true });
    expect(await keep(always.local_conversation_id, 'always')).toEqual({ days: 'always', is_own: true });
    const left = async () => {
      await ticks();
      const all = [early, late, always, plain].map(({ message_id }) => textOf(message_id));
      return (await Promise.all(all)).filter((text) => text !== '');
    };
    edge.now += 8 * DAY;
    expect(await left()).toEqual(['late', 'always', 'plain']);
    edge.now += 90 * DAY;
    expect(await left()).toEqual(['late', 'always']);
    edge.now += 365 * DAY;
    expect(await left()).toEqual(['always']);
    const detail = await edge.data<ConversationDetail>(
      'GET',
      `/v1/renewal/conversations/${always.local_conversation_id}`,
    );
    expect(detail.texts_kept).toEqual({ days: 'always', is_own: true });
    expect(await keep(always.local_conversation_id, 'default')).toEqual({ days: 90, is_own: false });
    expect(await left()).toEqual([]);
  });

  it('are removed when the setting becomes shorter than their age', async () => {
    const { message_id, local_conversation_id } = await ran('of last month');
    edge.now += 40 * DAY;
    await ticks();
    await keep(local_conversation_id, 30);
    await ticks();
    expect(await textOf(message_id)).toBe('');
  });

  it('are removed 7 days after another default of the edge, also those that its walk had passed', async () => {
    const { message_id } = await ran('kept for good');
    edge.env.BAA_TEXTS_KEPT_DAYS = '0';
    edge.now += 400 * DAY;
    await ticks();
    expect(await textOf(message_id)).toBe('kept for good');
    edge.env.BAA_TEXTS_KEPT_DAYS = '30';
    await ticks();
    expect(await textOf(message_id)).toBe('kept for good');
    edge.now += 7 * DAY;
    await ticks();
    expect(await textOf(message_id)).toBe('');
    edge.env.BAA_TEXTS_KEPT_DAYS = '90';
  });

  it('stay while something of them is under way, and go at the end of the next period', async () => {
    const { message_id, local_conversation_id } = await ran('still expected');
    await keep(local_conversation_id, 7);
    await rowsOf('UPDATE messages SET reply_due_at = 1 WHERE message_id = ?', message_id);
    edge.now += 8 * DAY;
    await ticks();
    expect(await textOf(message_id)).toBe('still expected');
    await rowsOf('UPDATE messages SET reply_due_at = NULL WHERE message_id = ?', message_id);
    edge.now += 23 * DAY;
    await ticks();
    expect(await textOf(message_id)).toBe('');
  });

  it('stay for 7 days after an update that begins to remove them', async () => {
    const { message_id } = await ran('from before the update');
    await rowsOf('DELETE FROM runner_cursors');
    edge.now += 400 * DAY;
    await ticks();
    edge.now += 6 * DAY;
    await ticks();
    expect(await textOf(message_id)).toBe('from before the update');
    edge.now += DAY;
    await ticks();
    expect(await textOf(message_id)).toBe('');
  });

  it('stay while a renewal of them waits, or can be sent when the browser shows the conversation again', async () => {
    const { message_id, local_conversation_id } = await renewals.settled();
    await renewals.project();
    await keep(local_conversation_id, 7);
    const payloads = () => rowsOf('SELECT payload FROM renewal_jobs WHERE message_id = ?', message_id);
    edge.now += 8 * DAY;
    await ticks();
    expect((await payloads())[0]).not.toMatchObject({ payload: '' });
    await rowsOf("UPDATE renewal_jobs SET status = 'failed', next_attempt_at = NULL WHERE message_id = ?", message_id);
    await rowsOf("UPDATE runner_cursors SET position = 0 WHERE runner = 'texts.retention/7'");
    await ticks();
    expect((await payloads())[0]).not.toMatchObject({ payload: '' });
    await rowsOf("UPDATE renewal_jobs SET status = 'done' WHERE message_id = ?", message_id);
    await rowsOf("UPDATE runner_cursors SET position = 0 WHERE runner = 'texts.retention/7'");
    await ticks();
    expect(await payloads()).toEqual([{ payload: '' }]);
  });

  it('do not come back with a result that a node reports later', async () => {
    const message = await renewals.settled('manual', { instructions: instructionsOf(EXEC) });
    const id = message.instructions[0]?.instruction_id ?? '';
    await renewals.act(`/v1/instructions/${id}/started`);
    await rowsOf("UPDATE instructions SET status = 'interrupted', finished_at = 1 WHERE instruction_id = ?", id);
    await rowsOf('UPDATE messages SET reply_due_at = NULL');
    edge.now += 91 * DAY;
    await ticks();
    await renewals.result(id, { output: 'printed long ago' });
    const stored = await Promise.all(
      ['instructions', 'journal_blocks', 'artifacts'].map((table) => rowsOf(`SELECT * FROM ${table}`)),
    );
    expect(JSON.stringify(stored)).not.toContain('printed long ago');
    const [row] = await rowsOf('SELECT late_result FROM instructions WHERE instruction_id = ?', id);
    expect(row).toMatchObject({ late_result: expect.stringContaining('received_at') });
  });

  it('of calls through MCP are removed with the calls', async () => {
    const { instructions, message_id } = await ran('asked by a program');
    await rowsOf('DELETE FROM messages WHERE message_id = ?', message_id);
    await rowsOf(
      `INSERT INTO mcp_calls (message_id, token_id, subject, request_id, call_hash, mcp_tool, name, params, instruction_id, created_at)
        VALUES (?, 't', 's', '1', 'h', 'exec', 'conductor::exec', '{}', ?, ?)`,
      message_id,
      instructions[0]?.instruction_id ?? '',
      edge.now,
    );
    const stored = async () =>
      JSON.stringify(
        await Promise.all(['instructions', 'journal_blocks'].map((table) => rowsOf(`SELECT * FROM ${table}`))),
      );
    edge.now += 89 * DAY;
    await ticks();
    expect(await stored()).toContain('asked by a program');
    edge.now += 2 * DAY;
    // A walk does not move by calls.
    for (let n = 0; n < 3; n += 1) await renewals.tick({ runners: [textsRetention] });
    expect(await stored()).not.toContain('asked by a program');
    expect(await rowsOf('SELECT 1 FROM mcp_calls WHERE message_id = ?', message_id)).toEqual([]);
  });

  it('are removed in parts of 20 messages', async () => {
    const { remote_conversation_id } = await renewals.settled('manual');
    for (let n = 0; n < 44; n += 1) await renewals.bring(renewals.message({ remote_conversation_id }));
    expect(await ticks()).toBe(0);
    edge.now += 8 * DAY;
    expect(await ticks()).toBe(3);
    edge.now += 83 * DAY;
    // The walk of 30 days, which removes nothing here, and that of 90 days.
    expect(await ticks()).toBe(6);
    expect(await rowsOf("SELECT 1 FROM messages WHERE raw_text <> ''")).toEqual([]);
  });
});
