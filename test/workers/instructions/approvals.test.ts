import { describe, expect, it } from 'vitest';
import { Conductor, DESCRIBE, EXEC, RESUME } from '../support/conductor.ts';
import {
  ASKED,
  answerCommand,
  bringTo,
  commandsFor,
  HASH,
  messageStatus,
  nextConversation,
  statusesOf,
  storyOf,
  sweep,
} from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;

const decide = (id: string | undefined, verb: 'approve' | 'deny', hash = HASH) =>
  edge.call('POST', `/v1/instructions/${id}/${verb}`, { body: { approval_hash: hash } });
const refusal = async (id: string | undefined, verb: 'approve' | 'deny', hash = HASH) =>
  edge.error('POST', `/v1/instructions/${id}/${verb}`, { body: { approval_hash: hash } });
const toldOf = async (id: string | undefined) =>
  (await commandsFor(conductor, 'approval.decided')).filter(({ body }) => body.instruction_id === id);

describe('what waits for approval', () => {
  it('is listed, and shown with exactly what is asked', async () => {
    const { ids } = await bringTo(conductor, [ASKED]);
    const list = await edge.data<{ items: { instruction_id: string }[] }>(
      'GET',
      '/v1/instructions?status=awaiting_approval',
    );
    expect(list.items.map((one) => one.instruction_id)).toContain(ids[0]);
    const shown = () => edge.data<{ approval: unknown }>('GET', `/v1/instructions/${ids[0]}`);
    expect((await shown()).approval).toEqual(ASKED.approval);
    await decide(ids[0], 'deny');
    expect((await shown()).approval).toBeNull();
  });

  it('is claimed when a person approves it, under a fresh deadline, and its holder is told', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED, DESCRIBE]);
    edge.now += 60_000;
    expect((await decide(ids[0], 'approve')).status).toBe(200);
    expect(await statusesOf(message_id)).toEqual(['claimed', 'waiting']);
    expect(await messageStatus(message_id)).toBe('accepted');
    const [told, ...more] = await toldOf(ids[0]);
    expect(more).toEqual([]);
    // exec's ten minutes and a minute
    expect(told?.body).toMatchObject({
      decision: 'approved',
      approval_hash: HASH,
      claim_expires_in_ms: 660_000,
      released: [{ instruction_id: ids[1], status: 'waiting' }],
    });
    expect(await storyOf(ids[0])).toEqual(['observed', 'judged', 'approved', 'claimed']);
    // What is read later tells what is left of the claim.
    edge.now += 30_000;
    expect((await toldOf(ids[0]))[0]?.body.claim_expires_in_ms).toBe(630_000);
    await answerCommand(conductor, told?.command_id ?? '', { outcome: 'noted' });
    expect(await toldOf(ids[0])).toEqual([]);
  });

  it('lets what waited behind it go on in message order, whichever way it ended', async () => {
    const denied = await bringTo(conductor, [ASKED, DESCRIBE, DESCRIBE]);
    await decide(denied.ids[0], 'deny');
    expect(await statusesOf(denied.message_id)).toEqual(['denied', 'claimed', 'waiting']);
    expect((await toldOf(denied.ids[0]))[0]?.body).toMatchObject({
      decision: 'denied',
      claim_expires_in_ms: null,
      released: [{ status: 'claimed', claim_expires_in_ms: 120_000 }, { status: 'waiting' }],
    });
    expect(await storyOf(denied.ids[0])).toEqual(['observed', 'judged', 'denied', 'ended']);
    const approved = await bringTo(conductor, [ASKED, DESCRIBE]);
    await decide(approved.ids[0], 'approve');
    const { rest } = await conductor.result(approved.ids[0] ?? '');
    expect(rest).toMatchObject([{ status: 'claimed' }]);
  });

  it('denied as the only one ends its message', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    await decide(ids[0], 'deny');
    expect(await messageStatus(message_id)).toBe('failed');
    expect((await refusal(ids[0], 'approve')).error).toBe('already_finished');
  });

  it('expires when nobody decides, once, and its holder is told', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    edge.now += 900_001;
    await sweep(conductor);
    await sweep(conductor);
    expect(await statusesOf(message_id)).toEqual(['expired']);
    expect(await messageStatus(message_id)).toBe('failed');
    expect((await toldOf(ids[0])).map(({ body }) => body.decision)).toEqual(['expired']);
    // Nobody reports a reply: it is given up like any other, and the sweeps find nothing more to do.
    edge.now += 600_001;
    await sweep(conductor);
    const message = await edge.data<{ reply_outcome: string }>('GET', `/v1/messages/${message_id}`);
    expect(message.reply_outcome).toBe('given_up');
  });
});

describe('an approval is refused', () => {
  it('for anything but what was shown', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    for (const verb of ['approve', 'deny'] as const) {
      expect(await refusal(ids[0], verb, 'b'.repeat(64))).toMatchObject({ status: 409, error: 'conflict' });
    }
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
  });

  it('to a chat: no tool approves, and a node’s token may not', async () => {
    const { ids } = await bringTo(conductor, [ASKED]);
    const token = await conductor.token();
    const call = { token, body: { approval_hash: HASH } };
    expect((await edge.error('POST', `/v1/instructions/${ids[0]}/approve`, call)).error).toBe('forbidden');
    const asking = await bringTo(conductor, [{ target: 'conductor', tool: 'approve', params: { id: ids[0] } }]);
    expect(asking.instructions[0]).toMatchObject({ status: 'denied', gate: 'unknown_tool' });
  });

  it('while the system is paused, and it goes on waiting', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    await conductor.mode('pause');
    expect(await refusal(ids[0], 'approve')).toMatchObject({ status: 409, error: 'system_paused' });
    await conductor.mode('resume');
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    expect((await decide(ids[0], 'approve')).status).toBe(200);
  });

  it('while the conversation is paused or executes another message, and it goes on waiting', async () => {
    const remote = nextConversation();
    const { ids, message_id, local_conversation_id } = await bringTo(conductor, [ASKED], remote);
    const other = await bringTo(conductor, [EXEC], remote);
    expect(await refusal(ids[0], 'approve')).toMatchObject({ status: 409, details: { gate: 'automation_busy' } });
    await conductor.result(other.ids[0] ?? '');
    await conductor.automation(local_conversation_id, 'paused');
    expect(await refusal(ids[0], 'approve')).toMatchObject({ status: 409, details: { gate: 'automation_paused' } });
    await conductor.automation(local_conversation_id, 'resume');
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    expect((await decide(ids[0], 'approve')).status).toBe(200);
  });

  it('out of turn: the earlier one comes first', async () => {
    const { ids } = await bringTo(conductor, [ASKED, ASKED]);
    expect(await refusal(ids[1], 'approve')).toMatchObject({ status: 409, details: { gate: 'waiting' } });
    await decide(ids[0], 'deny');
    expect((await decide(ids[1], 'approve')).status).toBe(200);
  });

  it('never to a control instruction by a gate', async () => {
    const asked = { ...RESUME, policy: ASKED.policy, approval: ASKED.approval };
    const { ids } = await bringTo(conductor, [asked]);
    await conductor.mode('pause');
    expect((await decide(ids[0], 'approve')).status).toBe(200);
    await conductor.act(`/v1/instructions/${ids[0]}/run`);
    expect((await edge.data<{ mode: string }>('GET', '/v1/system/state')).mode).toBe('running');
  });
});

describe('many decisions at once', () => {
  it('approve, deny, cancel and expiry: exactly one of them is what happened', async () => {
    for (let round = 0; round < 9; round += 1) {
      const { ids, message_id } = await bringTo(conductor, [ASKED]);
      edge.now += 900_001;
      const done = { approve: 0, deny: 0, cancel: 0 };
      const ask = async (verb: keyof typeof done) => {
        const body = verb === 'cancel' ? {} : { approval_hash: HASH };
        done[verb] = (await edge.call('POST', `/v1/instructions/${ids[0]}/${verb}`, { body })).status;
      };
      const begin = [() => ask('approve'), () => ask('deny'), () => ask('cancel'), () => sweep(conductor)];
      // Each of them comes first in turn.
      const first = round % begin.length;
      await Promise.all([...begin.slice(first), ...begin.slice(0, first)].map((act) => act()));
      const [status = ''] = await statusesOf(message_id);
      // An approved one may be canceled afterwards.
      const decided = [done.approve, done.deny].filter((code) => code === 200).length;
      expect(decided + (status === 'expired' ? 1 : 0)).toBeLessThanOrEqual(1);
      const expected = done.cancel === 200 ? 'canceled' : done.approve === 200 ? 'claimed' : null;
      expect(status).toBe(expected ?? (done.deny === 200 ? 'denied' : 'expired'));
      const decisions = (await storyOf(ids[0])).filter((kind) => ['approved', 'denied'].includes(kind));
      expect(decisions).toHaveLength(decided);
      expect(await toldOf(ids[0])).toHaveLength(decided + (status === 'expired' ? 1 : 0));
    }
  });

  it('two approvals in one conversation: one message executes, the other goes on waiting', async () => {
    for (let round = 0; round < 6; round += 1) {
      const remote = nextConversation();
      const one = await bringTo(conductor, [ASKED], remote);
      const two = await bringTo(conductor, [ASKED], remote);
      const replies = await Promise.all([decide(one.ids[0], 'approve'), decide(two.ids[0], 'approve')]);
      expect(replies.map((reply) => reply.status).toSorted()).toEqual([200, 409]);
      const statuses = [...(await statusesOf(one.message_id)), ...(await statusesOf(two.message_id))];
      expect(statuses.toSorted()).toEqual(['awaiting_approval', 'claimed']);
    }
  });

  it('an approval against a pause is claimed before it or not at all', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { ids, message_id } = await bringTo(conductor, [ASKED]);
      const [reply] = await Promise.all([decide(ids[0], 'approve'), conductor.mode('pause')]);
      expect(await statusesOf(message_id)).toEqual([reply.status === 200 ? 'claimed' : 'awaiting_approval']);
      await conductor.mode('resume');
    }
  });
});
