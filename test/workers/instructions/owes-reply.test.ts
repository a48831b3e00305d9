import { beforeAll, describe, expect, it } from 'vitest';
import type { InstructionInput } from '../../../schema/contracts/instructions.ts';
import type { NextRenewal } from '../../../schema/contracts/renewal-settings.ts';
import { Renewals } from '../renewal/support.ts';
import { DESCRIBE, EXEC, instructionsOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { browserOf, sweep } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const DENIED: InstructionInput[] = instructionsOf({ ...EXEC, policy: { decision: 'deny', rule: 'exec.default' } });
const SHADOWED: InstructionInput[] = instructionsOf({ ...EXEC, policy: { decision: 'shadow', rule: 'mode' } });
const ASKED: InstructionInput[] = instructionsOf({ ...EXEC, policy: { decision: 'ask', rule: 'exec.default' } });
const BROKEN = [{ block_index: 0, stage: 'parse', code: 'bad_line', message: 'no', line: 3 } as const];

const jobsOf = (messageId: string) => rowsOf('SELECT 1 FROM renewal_jobs WHERE message_id = ?', messageId);
const dueAt = async (messageId: string) =>
  (
    await rowsOf<{ reply_due_at: number | null }>('SELECT reply_due_at FROM messages WHERE message_id = ?', messageId)
  )[0]?.reply_due_at;
const reply = (messageId: string, outcome: string) =>
  renewals.act(`/v1/messages/${messageId}/reply`, { outcome, reason: null, attempt: 1 });
const nextRenewal = async (conversationId: string) =>
  (await edge.data<{ next_renewal: NextRenewal }>('GET', `/v1/renewal/conversations/${conversationId}`)).next_renewal;

describe('a message whose host delivers a reply', () => {
  it.each([
    ['denied_only', { instructions: DENIED }],
    ['parse_error_only', { instructions: [], block_errors: BROKEN }],
    ['executed', { instructions: SHADOWED }],
  ])('a %s message is not renewed beside its reply, but after the reply has failed', async (status, more) => {
    const message = await renewals.settled('auto', more);
    expect(message.ingest_status).toBe(status);
    await renewals.tick();
    expect(await renewals.skipReason(message.message_id)).toBe('instruction_pending');
    expect(await nextRenewal(message.local_conversation_id)).toMatchObject({ reason: 'instruction_pending' });
    expect(await jobsOf(message.message_id)).toEqual([]);
    await reply(message.message_id, 'failed');
    await renewals.tick();
    expect(await jobsOf(message.message_id)).toHaveLength(1);
  });

  it.each(['system_paused', 'automation_busy'])(
    'a message that the gate %s stopped is not renewed before its reply is given up',
    async (gate) => {
      const { remote_conversation_id, local_conversation_id } = await renewals.settled();
      const blocker = gate === 'automation_busy' ? await renewals.bring(executing(remote_conversation_id)) : null;
      if (gate === 'system_paused') await renewals.mode('pause');
      const message = await renewals.bring(
        renewals.message({ remote_conversation_id, instructions: instructionsOf(EXEC) }),
      );
      if (gate === 'system_paused') await renewals.mode('resume');
      expect(message.ingest_status).toBe(gate);
      edge.now += 10_000;
      await renewals.tick();
      expect(await renewals.skipReason(message.message_id)).toBe('instruction_pending');
      if (blocker !== null) await renewals.result(blocker.instructions[0]?.instruction_id ?? '');
      expect(await nextRenewal(local_conversation_id)).toMatchObject({ reason: 'instruction_pending' });
      edge.now += 600_000;
      await sweep(renewals);
      await renewals.tick();
      expect(await dueAt(message.message_id)).toBeNull();
      expect(await jobsOf(message.message_id)).toHaveLength(1);
    },
  );

  it('a delivered reply keeps the message from being renewed, because the assistant answers it', async () => {
    const message = await renewals.settled('auto', { instructions: DENIED });
    await reply(message.message_id, 'delivered');
    await renewals.tick();
    expect(await renewals.skipReason(message.message_id)).toBe('instruction_pending');
    expect(await jobsOf(message.message_id)).toEqual([]);
  });

  it('the reply is due only when the last instruction has ended', async () => {
    const message = await renewals.settled('auto', { instructions: instructionsOf(EXEC, DESCRIBE) });
    expect(await dueAt(message.message_id)).toBeNull();
    const [first, second] = message.instructions;
    await renewals.result(first?.instruction_id ?? '');
    expect(await dueAt(message.message_id)).toBeNull();
    await renewals.result(second?.instruction_id ?? '');
    expect(await dueAt(message.message_id)).toBe(edge.now + 600_000);
    await reply(message.message_id, 'delivered');
    expect(await dueAt(message.message_id)).toBeNull();
  });

  it('a claim after a resubmission makes a new reply due, also when nothing could be claimed', async () => {
    await browserOf(renewals, 'mini-main', 'firefox-1');
    await renewals.mode('pause');
    const message = await renewals.settled('auto', { instructions: instructionsOf(EXEC) });
    await reply(message.message_id, 'delivered');
    await edge.data('POST', `/v1/messages/${message.message_id}/resubmit`, { body: {} });
    const [one] = message.instructions;
    const policy = { decision: 'allow', rule: 'judged again' };
    await renewals.act(`/v1/messages/${message.message_id}/claim`, {
      instructions: [{ instruction_id: one?.instruction_id, policy }],
    });
    await renewals.mode('resume');
    expect(await dueAt(message.message_id)).toBe(edge.now + 600_000);
    const detail = await edge.data<{ reply_outcome: string | null }>('GET', `/v1/messages/${message.message_id}`);
    expect(detail.reply_outcome).toBeNull();
  });
});

describe('a message that gets no reply', () => {
  it('a message without instructions is renewed after the quiet period', async () => {
    const { message_id } = await renewals.settled();
    expect(await dueAt(message_id)).toBeNull();
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
  });

  it('a message that was too old to run is renewed', async () => {
    const { remote_conversation_id } = await renewals.settled();
    const body = renewals.message({ remote_conversation_id, instructions: instructionsOf(EXEC) });
    const { message_id, ingest_status } = await renewals.bring(body, { 'x-baa-age-ms': '600001' });
    expect([ingest_status, await dueAt(message_id)]).toEqual(['expired', null]);
    edge.now += 10_000;
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
  });
});

describe('two conversations', () => {
  it('an open instruction of one conversation does not hold back the renewal of the other', async () => {
    const busy = await renewals.settled('auto', { instructions: ASKED });
    const free = await renewals.settled();
    expect(await nextRenewal(busy.local_conversation_id)).toMatchObject({ reason: 'instruction_pending' });
    expect(await nextRenewal(free.local_conversation_id)).toMatchObject({ due: true, reason: 'due' });
    await renewals.tick();
    expect(await jobsOf(busy.message_id)).toEqual([]);
    expect(await jobsOf(free.message_id)).toHaveLength(1);
  });
});

function executing(remote_conversation_id: string) {
  return renewals.message({ remote_conversation_id, instructions: instructionsOf(EXEC) });
}
