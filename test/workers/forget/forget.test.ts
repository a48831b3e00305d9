/** Forgetting a conversation: what is gone, what stays, and that the journal can still be verified. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ForgetState } from '../../../schema/contracts/forget.ts';
import type { JournalPage } from '../../../schema/contracts/journal.ts';
import type { ForgottenBlocks } from '../../../schema/domain/forgotten-blocks.ts';
import { alteredForgotten, noteForgotten } from '../../../schema/domain/forgotten-blocks.ts';
import { EMPTY_CHAIN, verifyChain } from '../../../schema/domain/journal-chain.ts';
import { record, rowFaults } from '../../../schema/domain/journal-rows.ts';
import { sha256Hex } from '../../../workers/crypto/hash.ts';
import { conversationsForget } from '../../../workers/forget/forget.job.ts';
import { runTick } from '../../../workers/timed-jobs/run-tick.ts';
import { Renewals } from '../renewal/support.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { counting } from '../support/counting.ts';
import { EVENTS, NODE, rowsOf } from '../support/edge.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeEach(() => renewals.lead());

const SECRET = 'a secret that was said';
const pathOf = (id: string) => `/v1/renewal/conversations/${id}/forget`;
const forget = (id: string) => edge.data<ForgetState>('POST', pathOf(id), { body: {} });

/** A message whose program has printed live and at length, and whose reply was delivered. */
async function ran(remote?: string) {
  const more = remote === undefined ? {} : { remote_conversation_id: remote };
  const call = { ...EXEC, params: { argv: ['echo', SECRET] } };
  const message = await renewals.settled('manual', {
    ...more,
    raw_text: SECRET + edge.now,
    instructions: instructionsOf(call),
  });
  const id = message.instructions[0]?.instruction_id ?? '';
  await renewals.act(`/v1/instructions/${id}/started`);
  await renewals.act(`/v1/instructions/${id}/output`, { offset: 0, chunk: SECRET });
  await renewals.result(id, { output: SECRET.repeat(200) });
  await renewals.act(`/v1/messages/${message.message_id}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
  edge.now += 1_000;
  return { ...message, id };
}

/** Ticks until nothing is to be forgotten; the number of ticks. */
async function untilForgotten(): Promise<number> {
  const left = () => rowsOf('SELECT 1 FROM local_conversations WHERE forget_before IS NOT NULL');
  let ticks = 0;
  for (; (await left()).length > 0; ticks += 1) await renewals.tick({ runners: [conversationsForget] });
  return ticks;
}

/** Every table that has text of the conversation, as one text. Records of the API's own calls are kept for days. */
async function everythingStored(): Promise<string> {
  const tables = [
    'messages',
    'instructions',
    'artifacts',
    'journal_blocks',
    'renewal_jobs',
    'asks',
    'grants',
    'tasks',
    'steps',
    'commands',
  ];
  const rows = await Promise.all(tables.map((table) => rowsOf(`SELECT * FROM ${table}`)));
  return JSON.stringify(rows);
}

/** What `journal verify` checks of the node's journal and of that message. */
async function verified(messageId: string) {
  const page = await edge.data<JournalPage>('GET', `/v1/journal?controller_id=${NODE}`);
  const known = new Map();
  const noted: ForgottenBlocks = { left: new Map(), bound: new Map() };
  for (const block of page.items) {
    record(known, block);
    await noteForgotten(sha256Hex, noted, block);
  }
  const message = await edge.data<Parameters<typeof rowFaults>[1]>('GET', `/v1/messages/${messageId}`);
  return {
    chain: (await verifyChain(sha256Hex, EMPTY_CHAIN, page)).ok,
    altered: alteredForgotten(noted),
    faults: await rowFaults(sha256Hex, message, known, async () => null),
  };
}

describe('a forgotten conversation', () => {
  it('has no text, call, output or renewal any more, and its journal is intact', async () => {
    const { local_conversation_id, message_id, id } = await ran();
    const body = { operation_id: 'forgotten-1', text: SECRET };
    await edge.data('POST', `/v1/conversations/${local_conversation_id}/ask`, { body });
    await rowsOf("UPDATE asks SET state = 'failed', due_at = NULL");
    await rowsOf('UPDATE local_conversations SET open_ask = NULL');
    await rowsOf("UPDATE commands SET status = 'done'");
    edge.now += 1;
    expect(await everythingStored()).toContain(SECRET);
    expect(await forget(local_conversation_id)).toMatchObject({ state: 'forgetting', before: edge.now });
    await untilForgotten();
    expect(await everythingStored()).not.toContain(SECRET);
    const detail = await renewals.detail(local_conversation_id);
    expect(detail).toMatchObject({
      title: null,
      forget: {
        state: 'forgotten',
        before: edge.now,
        removed: { messages: 1, instructions: 1, artifacts: 1, asks: 1 },
      },
    });
    expect(detail.forget?.removed.journal_blocks).toBeGreaterThan(0);
    expect(await verified(message_id)).toEqual({ chain: true, altered: null, faults: [] });
    const [row] = await rowsOf('SELECT status, exit_code, finished_at FROM instructions WHERE instruction_id = ?', id);
    expect(row).toMatchObject({ status: 'succeeded', finished_at: expect.any(Number) });
  });

  it('is found altered by the journal when a row was only marked as forgotten', async () => {
    const { message_id } = await ran();
    await rowsOf("UPDATE messages SET raw_text = '', forgotten_at = 1 WHERE message_id = ?", message_id);
    const { faults } = await verified(message_id);
    expect(faults).toEqual([expect.stringContaining('the journal does not say that it was')]);
  });

  it('is removed in bounded parts over several ticks, and its progress can be seen', async () => {
    const { local_conversation_id, remote_conversation_id } = await renewals.settled('manual');
    for (let n = 0; n < 44; n += 1) await renewals.bring(renewals.message({ remote_conversation_id }));
    edge.now += 1;
    await forget(local_conversation_id);
    await renewals.tick({ runners: [conversationsForget] });
    const { forget: state } = await renewals.detail(local_conversation_id);
    expect(state).toMatchObject({ state: 'forgetting', removed: { messages: 20 } });
    // 20 more messages, the last five, and the end.
    expect(await untilForgotten()).toBe(3);
    const after = await renewals.detail(local_conversation_id);
    expect(after.forget).toMatchObject({ state: 'forgotten', removed: { messages: 45 } });
  });

  it('costs as much in each part, however much is stored before it or of others', async () => {
    const { local_conversation_id, remote_conversation_id } = await renewals.settled('manual');
    for (let n = 0; n < 210; n += 1) await renewals.bring(renewals.message({ remote_conversation_id }));
    edge.now += 1;
    await forget(local_conversation_id);
    const counted = counting();
    const rows: number[] = [];
    const request = { trigger: 'manual', scheduledTime: null, now: edge.now } as const;
    for (let n = 0; n < 10; n += 1) {
      const before = counted.rows();
      await runTick(counted.env, request, { runners: [conversationsForget], random: () => 0.5, log: () => undefined });
      rows.push(counted.rows() - before);
    }
    // A few rows are the tick's own, such as its log. Each part passes 20 more messages.
    const [, first = 0] = rows;
    expect(rows.slice(1).filter((count) => count > first + 20)).toEqual([]);
    await untilForgotten();
    expect(await rowsOf("SELECT * FROM runner_cursors WHERE runner LIKE 'conversations.forget%'")).toEqual([]);
    const after = await renewals.detail(local_conversation_id);
    expect(after.forget).toMatchObject({ state: 'forgotten', removed: { messages: 211 } });
  }, 60_000);

  it('keeps what was said after the request, and is forgotten again with that', async () => {
    const { local_conversation_id, remote_conversation_id } = await renewals.settled('manual');
    edge.now += 1;
    await forget(local_conversation_id);
    edge.now += 1;
    const later = await renewals.bring(renewals.message({ remote_conversation_id, raw_text: 'said later' }));
    await untilForgotten();
    const textOf = async () =>
      (await edge.data<{ raw_text: string }>('GET', `/v1/messages/${later.message_id}`)).raw_text;
    expect(await textOf()).toBe('said later');
    edge.now += 1;
    await forget(local_conversation_id);
    await untilForgotten();
    expect(await textOf()).toBe('');
  });

  it('takes the tasks of its chat with it, with what their runs have printed', async () => {
    const { local_conversation_id } = await renewals.settled('manual');
    const steps = [{ kind: 'shell', name: 'one', input: { argv: ['true'] } }];
    const task = { task_type: 'shell', title: SECRET, goal: SECRET, steps };
    const { task_id } = await edge.data<{ task_id: string }>('POST', '/v1/tasks', { body: task });
    await rowsOf('UPDATE tasks SET local_conversation_id = ? WHERE task_id = ?', local_conversation_id, task_id);
    edge.now += 1;
    const open = await edge.error('POST', pathOf(local_conversation_id), { body: {} });
    expect(open).toMatchObject({ status: 409, details: { under_way: ['tasks'] } });
    await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
    await forget(local_conversation_id);
    await untilForgotten();
    expect((await edge.error('GET', `/v1/tasks/${task_id}`)).error).toBe('task_not_found');
    expect((await renewals.detail(local_conversation_id)).forget?.removed.tasks).toBe(1);
  });

  it('is recorded with its person, and is an event when it is gone', async () => {
    const { local_conversation_id } = await renewals.settled('manual');
    edge.now += 1;
    await forget(local_conversation_id);
    await forget(local_conversation_id);
    await untilForgotten();
    const events = await rowsOf<{ type: string }>(
      `SELECT type FROM ${EVENTS} WHERE subject_id = ? AND type LIKE 'forg%' ORDER BY seq`,
      local_conversation_id,
    );
    expect(events.map(({ type }) => type)).toEqual(['forget_requested', 'forgotten']);
    const audits = await rowsOf(
      "SELECT 1 FROM audit WHERE subject_id = ? AND action LIKE '%forget'",
      local_conversation_id,
    );
    expect(audits).toHaveLength(1);
  });

  it('is refused while something in it is under way, by name', async () => {
    const { local_conversation_id } = await renewals.settled('manual', { instructions: instructionsOf(EXEC) });
    const refused = await edge.error('POST', pathOf(local_conversation_id), { body: {} });
    expect(refused).toMatchObject({ status: 409, error: 'conflict', details: { under_way: ['instructions'] } });
  });

  it('has no message that a person could submit again', async () => {
    await renewals.mode('pause');
    const { local_conversation_id, message_id } = await renewals.settled('manual', {
      instructions: instructionsOf(EXEC),
    });
    await renewals.mode('resume');
    await rowsOf('UPDATE messages SET reply_due_at = NULL WHERE message_id = ?', message_id);
    edge.now += 1;
    await forget(local_conversation_id);
    await untilForgotten();
    const refused = await edge.error('POST', `/v1/messages/${message_id}/resubmit`, { body: {} });
    expect(refused).toMatchObject({ error: 'conflict', message: expect.stringContaining('was removed') });
  });
});
