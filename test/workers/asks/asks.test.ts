/** A person's question in a conversation, from the request to the answer, and everything that can come between. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ask } from '../../../schema/contracts/asks.ts';
import { ASK } from '../../../schema/defaults.ts';
import { askPlanId } from '../../../schema/domain/ask.ts';
import { commandsFor } from '../instructions/support.ts';
import { OTHER_NODE, Renewals } from '../renewal/support.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { EVENTS, NODE, rowsOf } from '../support/edge.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeEach(() => renewals.lead());

let operations = 0;
const nextOperation = () => {
  operations += 1;
  return `op-${operations}`;
};
const pathOf = (conversation: string) => `/v1/conversations/${conversation}/ask`;
const state = (operation: string) => edge.data<Ask>('GET', `/v1/asks/${operation}`);

/** A conversation with a question in it. */
async function asked(change: 'manual' | 'auto' = 'manual', text = 'what is next?') {
  const message = await renewals.settled(change);
  const operation = nextOperation();
  await renewals.heard(NODE);
  const body = { operation_id: operation, text };
  const ask = await edge.data<Ask>('POST', pathOf(message.local_conversation_id), { body });
  return { ...message, ask, operation, body };
}

async function commandOf(operation: string) {
  const found = await commandsFor(renewals, 'conversation.ask');
  const command = found.findLast(({ body }) => body.operation_id === operation);
  if (command === undefined) throw new Error(`no command carries ${operation}`);
  return command;
}

/** Ticks until nothing is due: one tick has room for a few questions, and those of other tests wait too. */
async function tick(): Promise<void> {
  const due = () => rowsOf('SELECT 1 FROM asks WHERE due_at <= ?', edge.now);
  do await renewals.tick();
  while ((await due()).length > 0);
}

async function received({ command_id }: { command_id: string }): Promise<void> {
  const body = { receipts: [{ command_id, accepted: true }] };
  await edge.data('POST', `/v1/controllers/${NODE}/receipts`, { token: await renewals.token(), body });
}

/** The browser has delivered the question. */
async function delivered(change: 'manual' | 'auto' = 'manual') {
  const one = await asked(change);
  await renewals.respond(await commandOf(one.operation), 'delivered', { method: 'replay', http_status: 200 });
  edge.now += 1_000;
  return one;
}

type More = Parameters<Renewals['message']>[0];
const answer = (remote_conversation_id: string, more: More = {}) =>
  renewals.bring(renewals.message({ remote_conversation_id, ...more }));

describe('a question in a conversation', () => {
  it('is sent at once, exactly as it is, and its answer is the message that names it', async () => {
    const { operation, ask, remote_conversation_id } = await asked('manual', 'what is next?  ');
    expect(ask).toMatchObject({ state: 'sent', reason: 'being_delivered', answer: null });
    const command = await commandOf(operation);
    expect(command.body).toMatchObject({ message_text: 'what is next?  ', plan_id: askPlanId(operation, 1) });
    await renewals.respond(command, 'delivered', { method: 'replay', http_status: 200 });
    expect(await state(operation)).toMatchObject({
      state: 'sent',
      reason: 'waiting_for_answer',
      delivered_at: edge.now,
    });
    const answers_plan_id = askPlanId(operation, 1);
    const { message_id } = await answer(remote_conversation_id, { raw_text: 'the roof', answers_plan_id });
    expect(await state(operation)).toMatchObject({
      state: 'answered',
      deadline_at: null,
      answer: { message_id, text: 'the roof', evidence: 'named' },
    });
  });

  it('is answered by a message that names it before the browser has reported the delivery', async () => {
    const { operation, remote_conversation_id } = await asked();
    await answer(remote_conversation_id, { answers_plan_id: askPlanId(operation, 1) });
    await renewals.respond(await commandOf(operation), 'delivered');
    expect(await state(operation)).toMatchObject({ state: 'answered', answer: { evidence: 'named' } });
  });

  it('is recorded with its person, and each of its states is an event of the conversation', async () => {
    const { operation, local_conversation_id, remote_conversation_id } = await delivered();
    await answer(remote_conversation_id);
    const events = await rowsOf<{ type: string }>(
      `SELECT type FROM ${EVENTS} WHERE topic = 'conversations' AND subject_id = ? AND type LIKE 'ask_%' ORDER BY seq`,
      local_conversation_id,
    );
    expect(events.map(({ type }) => type)).toEqual(['ask_sent', 'ask_sent', 'ask_answered']);
    expect(await rowsOf('SELECT 1 FROM audit WHERE subject_id = ?', operation)).toHaveLength(1);
  });

  it('of a browser that names nothing, is answered by the next message when nothing came between', async () => {
    const { operation, remote_conversation_id } = await delivered();
    const { message_id } = await answer(remote_conversation_id);
    expect(await state(operation)).toMatchObject({ state: 'answered', answer: { message_id, evidence: 'next' } });
  });
});

describe('an answer that is not certainly that of the question', () => {
  it('makes it ambiguous when it answers a message that a person wrote after it', async () => {
    const { operation, remote_conversation_id } = await delivered();
    await answer(remote_conversation_id, { answers_plan_id: null });
    expect(await state(operation)).toMatchObject({
      state: 'ambiguous',
      reason: 'another_message_came_between',
      answer: null,
    });
    // The answer to it comes after all.
    await answer(remote_conversation_id, { raw_text: 'late', answers_plan_id: askPlanId(operation, 1) });
    expect(await state(operation)).toMatchObject({ state: 'answered', answer: { text: 'late' } });
  });

  it('makes it ambiguous when the system has sent something else since', async () => {
    const { operation, remote_conversation_id } = await delivered();
    await rowsOf(
      `UPDATE messages SET reply_outcome = 'delivered', replied_at = ? WHERE remote_conversation_id = ?`,
      edge.now,
      remote_conversation_id,
    );
    await answer(remote_conversation_id);
    expect(await state(operation)).toMatchObject({ state: 'ambiguous' });
  });

  it('makes it ambiguous when the two readings of the page differ', async () => {
    const { operation, remote_conversation_id } = await delivered();
    const capture = { source: 'network', other: 'differs' } as const;
    await answer(remote_conversation_id, { capture, answers_plan_id: askPlanId(operation, 1) });
    expect(await state(operation)).toMatchObject({ state: 'ambiguous', reason: 'capture_mismatch' });
  });

  it.each([
    ['was observed before the delivery', { is_early: true }],
    ['answers another delivery', { answers_plan_id: 'reply:msg_1.1' }],
    ['is in another conversation', { remote_conversation_id: 'another' }],
  ])('is not taken when it %s', async (_what, { is_early, ...more }: { is_early?: boolean } & More) => {
    const { operation, remote_conversation_id } = await delivered();
    const age: Record<string, string> = is_early ? { 'x-baa-age-ms': '2000' } : {};
    await renewals.bring(renewals.message({ remote_conversation_id, ...more }), age);
    expect(await state(operation)).toMatchObject({ state: 'sent', reason: 'waiting_for_answer' });
  });
});

describe('the operation of a question', () => {
  it('names it: the same question under it is the same ask, sent once', async () => {
    const { operation, local_conversation_id, body } = await asked();
    const again = await edge.data<Ask>('POST', pathOf(local_conversation_id), { body });
    expect(again).toMatchObject({ operation_id: operation, state: 'sent' });
    expect(
      (await commandsFor(renewals, 'conversation.ask')).filter((one) => one.body.operation_id === operation),
    ).toHaveLength(1);
    expect(await rowsOf('SELECT 1 FROM audit WHERE subject_id = ?', operation)).toHaveLength(1);
  });

  it('is a conflict with another text, and in another conversation', async () => {
    const { local_conversation_id, body } = await asked();
    const { local_conversation_id: other } = await renewals.settled('manual');
    const texts = await edge.error('POST', pathOf(local_conversation_id), { body: { ...body, text: 'another' } });
    const places = await edge.error('POST', pathOf(other), { body });
    for (const error of [texts, places]) {
      expect(error).toMatchObject({ status: 409, error: 'conflict', details: { field: 'operation_id' } });
    }
  });

  it('makes one ask when the same question comes twice at once', async () => {
    const { local_conversation_id } = await renewals.settled('manual');
    const body = { operation_id: nextOperation(), text: 'twice' };
    const post = () => edge.call('POST', pathOf(local_conversation_id), { body });
    const reply = await edge.race(post, post);
    expect(reply.status).toBe(200);
    expect(await rowsOf('SELECT 1 FROM asks WHERE operation_id = ?', body.operation_id)).toHaveLength(1);
  });

  it('that was never asked is not found', async () => {
    expect((await edge.error('GET', '/v1/asks/never')).error).toBe('ask_not_found');
  });
});

describe('a conversation with an open question', () => {
  it('takes no second one until it has ended', async () => {
    const { local_conversation_id, operation, remote_conversation_id } = await delivered();
    const body = { operation_id: nextOperation(), text: 'and this?' };
    const refused = await edge.error('POST', pathOf(local_conversation_id), { body });
    expect(refused).toMatchObject({ status: 409, details: { open_ask: operation } });
    await answer(remote_conversation_id);
    expect(await edge.data('POST', pathOf(local_conversation_id), { body })).toMatchObject({ state: 'sent' });
  });

  it('is not renewed until the answer is there, and the reason is shown', async () => {
    const { local_conversation_id, message_id, remote_conversation_id } = await delivered('auto');
    edge.now += 60_000;
    await tick();
    expect(await renewals.skipReason(message_id)).toBe('ask_pending');
    expect(await renewals.next(local_conversation_id)).toMatchObject({ due: false, reason: 'ask_pending' });
    const answered = await renewals.answered(remote_conversation_id);
    await tick();
    expect((await renewals.jobOf(answered.message_id)).status).toBe('running');
  });

  it('holds a job that is due already', async () => {
    const { local_conversation_id, message_id } = await renewals.settled('auto');
    await renewals.project();
    const body = { operation_id: nextOperation(), text: 'first this' };
    await edge.data('POST', pathOf(local_conversation_id), { body });
    await tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'pending', last_error: 'ask_pending' });
  });
});

describe('a question that cannot leave yet', () => {
  it.each([
    ['system_paused', 'the system'],
    ['conflict', 'the conversation'],
  ])('is refused as %s while %s is paused', async (error, what) => {
    const { local_conversation_id } = await renewals.settled('manual');
    const isSystem = what === 'the system';
    if (isSystem) await renewals.mode('pause');
    else await renewals.automation(local_conversation_id, 'paused');
    const body = { operation_id: nextOperation(), text: 'x' };
    expect((await edge.error('POST', pathOf(local_conversation_id), { body })).error).toBe(error);
    if (isSystem) await renewals.mode('resume');
  });

  it('waits behind a reply that is owed, and leaves when that was given', async () => {
    const { local_conversation_id, message_id, instructions } = await renewals.settled('manual', {
      instructions: instructionsOf(EXEC),
    });
    const operation = nextOperation();
    const body = { operation_id: operation, text: 'x' };
    const ask = await edge.data<Ask>('POST', pathOf(local_conversation_id), { body });
    expect(ask).toMatchObject({ state: 'queued', reason: 'instruction_pending' });
    await renewals.result(instructions[0]?.instruction_id ?? '');
    await renewals.act(`/v1/messages/${message_id}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
    edge.now += ASK.recheck_ms;
    await tick();
    expect(await state(operation)).toMatchObject({ state: 'sent' });
  });

  it('waits behind a renewal that is being delivered', async () => {
    const { local_conversation_id } = await renewals.sent();
    const body = { operation_id: nextOperation(), text: 'x' };
    const ask = await edge.data<Ask>('POST', pathOf(local_conversation_id), { body });
    expect(ask).toMatchObject({ state: 'queued', reason: 'renewal_under_way' });
  });

  it('waits while the system is paused, and fails in that mode too when its time is over', async () => {
    const { operation } = await asked();
    await renewals.respond(await commandOf(operation), 'deferred', { reason: 'draft', retry_after_ms: 1_000 });
    expect(await state(operation)).toMatchObject({ state: 'queued', reason: 'draft' });
    await renewals.mode('pause');
    edge.now += ASK.recheck_ms;
    await tick();
    expect(await state(operation)).toMatchObject({ state: 'queued', reason: 'system_paused' });
    edge.now += ASK.send_within_ms;
    await tick();
    expect(await state(operation)).toMatchObject({ state: 'failed', reason: 'system_paused', finished_at: edge.now });
    await renewals.mode('resume');
  });

  it('is sent under a new plan after the browser has deferred it, and under the same one when its node never had it', async () => {
    const { operation } = await asked();
    await renewals.respond(await commandOf(operation), 'deferred', { reason: 'draft' });
    edge.now += ASK.recheck_ms;
    await tick();
    expect((await commandOf(operation)).body.plan_id).toBe(askPlanId(operation, 2));
    edge.now += ASK.outcome_within_ms;
    await tick();
    expect(await state(operation)).toMatchObject({ state: 'queued', reason: 'not_received' });
    edge.now += ASK.recheck_ms;
    await tick();
    expect((await commandOf(operation)).body.plan_id).toBe(askPlanId(operation, 2));
  });

  it('keeps its plan when the first command reports a deferral after the node was handed the plan again', async () => {
    const { operation } = await asked();
    const first = await commandOf(operation);
    edge.now += ASK.outcome_within_ms;
    await tick();
    edge.now += ASK.recheck_ms;
    await tick();
    const second = await commandOf(operation);
    expect(second.command_id).not.toBe(first.command_id);
    await renewals.respond(first, 'deferred', { reason: 'draft' });
    expect(await state(operation)).toMatchObject({ state: 'sent', reason: 'being_delivered' });
    edge.now += ASK.recheck_ms;
    await tick();
    expect((await commandOf(operation)).command_id).toBe(second.command_id);
    await renewals.respond(second, 'delivered', { method: 'replay', http_status: 200 });
    expect(await state(operation)).toMatchObject({ state: 'sent', reason: 'waiting_for_answer' });
  });

  it('goes to no other node while the first one may have it', async () => {
    const { operation, remote_conversation_id } = await asked();
    await renewals.heard(OTHER_NODE);
    await renewals.browser({ node: OTHER_NODE, client: 'firefox-other', conversation: remote_conversation_id });
    await rowsOf('UPDATE conversation_links SET is_active = 0 WHERE controller_id = ?', NODE);
    edge.now += ASK.outcome_within_ms;
    await tick();
    edge.now += ASK.recheck_ms;
    await tick();
    expect(await state(operation)).toMatchObject({ state: 'queued', reason: 'missing_active_link' });
    expect(await commandsFor(renewals, 'conversation.ask', OTHER_NODE)).toEqual([]);
  });
});

describe('a question that has left', () => {
  it('fails when the browser says that it was not taken', async () => {
    const { operation } = await asked();
    await renewals.respond(await commandOf(operation), 'failed', { reason: 'http_400', http_status: 400 });
    expect(await state(operation)).toMatchObject({ state: 'failed', reason: 'http_400' });
  });

  it('is ambiguous when that is not known, and is never sent again', async () => {
    const unproven = await asked();
    await renewals.respond(await commandOf(unproven.operation), 'uncertain', { reason: 'no_evidence' });
    expect(await state(unproven.operation)).toMatchObject({ state: 'ambiguous', reason: 'no_evidence' });
    const silent = await asked();
    await received(await commandOf(silent.operation));
    edge.now += ASK.outcome_within_ms;
    await tick();
    expect(await state(silent.operation)).toMatchObject({ state: 'ambiguous', reason: 'no_outcome' });
    edge.now += ASK.send_within_ms;
    await tick();
    const sent = await rowsOf(
      "SELECT 1 FROM commands WHERE kind = 'conversation.ask' AND body LIKE ?",
      `%"${silent.operation}"%`,
    );
    expect(sent).toHaveLength(1);
  });

  it('is ambiguous when no answer comes in time, in every mode, and frees its conversation', async () => {
    const { operation, local_conversation_id } = await delivered();
    await renewals.mode('drain');
    edge.now += ASK.answer_within_ms;
    await tick();
    expect(await state(operation)).toMatchObject({ state: 'ambiguous', reason: 'no_answer', deadline_at: null });
    await renewals.mode('resume');
    const rows = await rowsOf(
      'SELECT open_ask FROM local_conversations WHERE local_conversation_id = ?',
      local_conversation_id,
    );
    expect(rows).toEqual([{ open_ask: null }]);
  });
});
