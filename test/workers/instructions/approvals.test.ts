import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../schema/contracts/instructions.ts';
import { Conductor, DESCRIBE, EXEC, RESUME } from '../support/conductor.ts';
import {
  ASKED,
  bringTo,
  commandsFor,
  HASH,
  messageStatus,
  nextConversation,
  reportCommandResult,
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
const decisionsFor = async (id: string | undefined) =>
  (await commandsFor(conductor, 'approval.decided')).filter(({ body }) => body.instruction_id === id);

describe('an instruction that waits for approval', () => {
  it('an instruction that waits for approval is listed, and its details show exactly what is asked', async () => {
    const { ids } = await bringTo(conductor, [ASKED]);
    const list = await edge.data<{ items: { instruction_id: string }[] }>(
      'GET',
      '/v1/instructions?status=awaiting_approval',
    );
    expect(list.items.map((one) => one.instruction_id)).toContain(ids[0]);
    const readDetail = () => edge.data<{ approval: unknown }>('GET', `/v1/instructions/${ids[0]}`);
    expect((await readDetail()).approval).toEqual(ASKED.approval);
    await decide(ids[0], 'deny');
    expect((await readDetail()).approval).toBeNull();
  });

  it('an approved instruction is claimed under a new deadline, and its node gets the decision as a command', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED, DESCRIBE]);
    edge.now += 60_000;
    expect((await decide(ids[0], 'approve')).status).toBe(200);
    expect(await statusesOf(message_id)).toEqual(['claimed', 'waiting']);
    expect(await messageStatus(message_id)).toBe('accepted');
    const [command, ...more] = await decisionsFor(ids[0]);
    expect(more).toEqual([]);
    // The timeout of exec, ten minutes, and a minute.
    expect(command?.body).toMatchObject({
      decision: 'approved',
      approval_hash: HASH,
      claim_expires_in_ms: 660_000,
      released: [{ instruction_id: ids[1], status: 'waiting' }],
    });
    expect(await storyOf(ids[0])).toEqual(['observed', 'judged', 'approved', 'claimed']);
    // A command that is read later says how long the claim still lasts.
    edge.now += 30_000;
    expect((await decisionsFor(ids[0]))[0]?.body.claim_expires_in_ms).toBe(630_000);
    await reportCommandResult(conductor, command?.command_id ?? '', { outcome: 'noted' });
    expect(await decisionsFor(ids[0])).toEqual([]);
  });

  it('a decided approval releases the next instruction of its message, whether it was denied or approved', async () => {
    const denied = await bringTo(conductor, [ASKED, DESCRIBE, DESCRIBE]);
    await decide(denied.ids[0], 'deny');
    expect(await statusesOf(denied.message_id)).toEqual(['denied', 'claimed', 'waiting']);
    expect((await decisionsFor(denied.ids[0]))[0]?.body).toMatchObject({
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

  it('the denial of the only instruction ends its message', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    await decide(ids[0], 'deny');
    expect(await messageStatus(message_id)).toBe('failed');
    expect((await refusal(ids[0], 'approve')).error).toBe('already_finished');
  });

  it('an approval without a decision expires once, and its node gets that as a command', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    edge.now += 900_001;
    await sweep(conductor);
    await sweep(conductor);
    expect(await statusesOf(message_id)).toEqual(['expired']);
    expect(await messageStatus(message_id)).toBe('failed');
    expect((await decisionsFor(ids[0])).map(({ body }) => body.decision)).toEqual(['expired']);
    // No reply is reported: it is given up like any other, and the sweeps find nothing more to end.
    edge.now += 600_001;
    await sweep(conductor);
    const message = await edge.data<{ reply_outcome: string }>('GET', `/v1/messages/${message_id}`);
    expect(message.reply_outcome).toBe('given_up');
  });
});

describe('an approval that is refused', () => {
  it('a decision about another hash than the one shown is refused', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    for (const verb of ['approve', 'deny'] as const) {
      expect(await refusal(ids[0], verb, 'b'.repeat(64))).toMatchObject({ status: 409, error: 'conflict' });
    }
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
  });

  it('a chat cannot approve: there is no tool for it, and the token of a node may not', async () => {
    const { ids } = await bringTo(conductor, [ASKED]);
    const token = await conductor.token();
    const call = { token, body: { approval_hash: HASH } };
    expect((await edge.error('POST', `/v1/instructions/${ids[0]}/approve`, call)).error).toBe('forbidden');
    const asking = await bringTo(conductor, [{ target: 'conductor', tool: 'approve', params: { id: ids[0] } }]);
    expect(asking.instructions[0]).toMatchObject({ status: 'denied', gate: 'unknown_tool' });
  });

  it('an approval while the system is paused is refused, and keeps waiting', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    await conductor.mode('pause');
    expect(await refusal(ids[0], 'approve')).toMatchObject({ status: 409, error: 'system_paused' });
    await conductor.mode('resume');
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
    expect((await decide(ids[0], 'approve')).status).toBe(200);
  });

  it('an approval while the conversation is paused or executes another message is refused, and keeps waiting', async () => {
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

  it('an approval before that of an earlier instruction is refused', async () => {
    const { ids } = await bringTo(conductor, [ASKED, ASKED]);
    expect(await refusal(ids[1], 'approve')).toMatchObject({ status: 409, details: { status: 'waiting' } });
    await decide(ids[0], 'deny');
    expect((await decide(ids[1], 'approve')).status).toBe(200);
  });

  it('no gate refuses the approval of a control instruction', async () => {
    const asked = { ...RESUME, policy: ASKED.policy, approval: ASKED.approval };
    const { ids } = await bringTo(conductor, [asked]);
    await conductor.mode('pause');
    const { approval } = await edge.data<{ approval: Approval }>('GET', `/v1/instructions/${ids[0]}`);
    expect((await decide(ids[0], 'approve', approval.approval_hash)).status).toBe(200);
    await conductor.act(`/v1/instructions/${ids[0]}/run`);
    expect((await edge.data<{ mode: string }>('GET', '/v1/system/state')).mode).toBe('running');
  });
});

describe('several decisions at the same time', () => {
  it('of an approval, a denial, a cancellation and the expiry of one instruction exactly one takes effect', async () => {
    for (let round = 0; round < 9; round += 1) {
      const { ids, message_id } = await bringTo(conductor, [ASKED]);
      edge.now += 900_001;
      const done = { approve: 0, deny: 0, cancel: 0 };
      const ask = async (verb: keyof typeof done) => {
        const body = verb === 'cancel' ? {} : { approval_hash: HASH };
        done[verb] = (await edge.call('POST', `/v1/instructions/${ids[0]}/${verb}`, { body })).status;
      };
      const decisions = [() => ask('approve'), () => ask('deny'), () => ask('cancel'), () => sweep(conductor)];
      // Each of them is first in turn.
      const first = round % decisions.length;
      await Promise.all([...decisions.slice(first), ...decisions.slice(0, first)].map((act) => act()));
      const [status = ''] = await statusesOf(message_id);
      // An approved one may be canceled afterwards.
      const decided = [done.approve, done.deny].filter((code) => code === 200).length;
      expect(decided + (status === 'expired' ? 1 : 0)).toBeLessThanOrEqual(1);
      const expected = done.cancel === 200 ? 'canceled' : done.approve === 200 ? 'claimed' : null;
      expect(status).toBe(expected ?? (done.deny === 200 ? 'denied' : 'expired'));
      const entries = (await storyOf(ids[0])).filter((kind) => ['approved', 'denied'].includes(kind));
      expect(entries).toHaveLength(decided);
      expect(await decisionsFor(ids[0])).toHaveLength(decided + (status === 'expired' ? 1 : 0));
    }
  });

  it('of two approvals in one conversation one is claimed, and the other keeps waiting', async () => {
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

  it('an approval at the time of a pause is claimed before the pause, or keeps waiting', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { ids, message_id } = await bringTo(conductor, [ASKED]);
      const [reply] = await Promise.all([decide(ids[0], 'approve'), conductor.mode('pause')]);
      expect(await statusesOf(message_id)).toEqual([reply.status === 200 ? 'claimed' : 'awaiting_approval']);
      await conductor.mode('resume');
    }
  });
});
