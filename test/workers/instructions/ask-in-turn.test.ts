/** An instruction that asks a person behind others of its message: it is described and shown when its turn has come. */
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Approval, InstructionDetailSchema } from '../../../schema/contracts/instructions.ts';
import { Conductor, EXEC, RESUME } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import {
  ASKED,
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
type Detail = z.infer<typeof InstructionDetailSchema>;

const { approval: APPROVAL, ...ASKS } = ASKED;
const WRITE = { target: 'conductor', tool: 'files/write', params: { path: 'a', content: 'x' } };
const detail = (id: string | undefined) => edge.data<Detail>('GET', `/v1/instructions/${id}`);
const end = (message_id: string, instruction_id: string | undefined, more: object[] = [], status = 'succeeded') => {
  const result = { status, output: '', duration_ms: 1, truncated: false };
  return conductor.act(`/v1/messages/${message_id}/progress`, { items: [{ instruction_id, result }, ...more] });
};
const describeIt = (message_id: string, instruction_id: string | undefined, approval: Approval = APPROVAL) =>
  conductor.act(`/v1/messages/${message_id}/progress`, { items: [{ instruction_id, approval }] });
const approve = async (id: string | undefined, approval_hash = HASH) =>
  (await edge.call('POST', `/v1/instructions/${id}/approve`, { body: { approval_hash } })).status;

describe('an instruction that asks behind one that runs', () => {
  it('waits for its turn, is described by its node then, and runs when a person approves', async () => {
    const { ids, message_id, ingest_status } = await bringTo(conductor, [WRITE, ASKS]);
    expect(ingest_status).toBe('accepted');
    expect(await detail(ids[1])).toMatchObject({ status: 'waiting', waits_for: 0, approval: null });
    const { items } = await edge.data<{ items: Detail[] }>('GET', `/v1/instructions?message_id=${message_id}`);
    expect(items.map((one) => one.waits_for)).toEqual([0, null]);
    expect(await approve(ids[1])).toBe(409);

    await end(message_id, ids[0]);
    expect(await statusesOf(message_id)).toEqual(['succeeded', 'awaiting_approval']);
    expect(await messageStatus(message_id)).toBe('awaiting_approval');
    expect(await detail(ids[1])).toMatchObject({ waits_for: null, approval: null });
    expect(await approve(ids[1])).toBe(409);

    edge.now += 600_000;
    await describeIt(message_id, ids[1]);
    // The time counts from when it was shown.
    const asked = { approval: APPROVAL, approval_expires_in_ms: 900_000, platform: 'chatgpt' };
    expect(await detail(ids[1])).toMatchObject(asked);
    expect(await approve(ids[1])).toBe(200);
    expect(await messageStatus(message_id)).toBe('accepted');
    expect((await commandsFor(conductor, 'approval.decided')).at(-1)?.body).toMatchObject({
      instruction_id: ids[1],
      approval_hash: HASH,
    });
    await end(message_id, ids[1]);
    expect(await messageStatus(message_id)).toBe('executed');
    expect(await storyOf(ids[1])).toEqual(['observed', 'judged', 'gated', 'asked', 'approved', 'claimed', 'ended']);
  });

  it('is shown with the results that made it its turn, when one report carries both', async () => {
    const { ids, message_id } = await bringTo(conductor, [WRITE, ASKS]);
    await end(message_id, ids[0], [{ instruction_id: ids[1], approval: APPROVAL }]);
    expect((await detail(ids[1])).approval).toEqual(APPROVAL);
  });

  it('is described once: what a person has been shown is not replaced, and its time not counted again', async () => {
    const { ids, message_id } = await bringTo(conductor, [WRITE, ASKS]);
    await describeIt(message_id, ids[1], { ...APPROVAL, display: 'too early' });
    await end(message_id, ids[0]);
    await describeIt(message_id, ids[1]);
    edge.now += 60_000;
    await describeIt(message_id, ids[1], { ...APPROVAL, display: 'ls', approval_hash: 'b'.repeat(64) });
    expect(await detail(ids[1])).toMatchObject({ approval: APPROVAL, approval_expires_in_ms: 840_000 });
  });

  it('of two descriptions at the same time keeps one', async () => {
    const { ids, message_id } = await bringTo(conductor, [WRITE, ASKS]);
    await end(message_id, ids[0]);
    const other = { ...APPROVAL, approval_hash: 'b'.repeat(64) };
    await Promise.all([describeIt(message_id, ids[1]), describeIt(message_id, ids[1], other)]);
    expect(await storyOf(ids[1])).toEqual(['observed', 'judged', 'gated', 'asked']);
  });

  it('expires when its node never describes it, and when no person decides in time', async () => {
    for (const isDescribed of [false, true]) {
      const { ids, message_id } = await bringTo(conductor, [WRITE, ASKS]);
      edge.now += 60_000;
      await end(message_id, ids[0]);
      if (isDescribed) await describeIt(message_id, ids[1]);
      edge.now += 899_000;
      await sweep(conductor);
      expect(await statusesOf(message_id)).toEqual(['succeeded', 'awaiting_approval']);
      edge.now += 1_001;
      await sweep(conductor);
      expect(await statusesOf(message_id)).toEqual(['succeeded', 'expired']);
    }
  });

  it('is asked about when a person cancels, or a deadline ends, what runs before it', async () => {
    const canceled = await bringTo(conductor, [WRITE, ASKS]);
    await edge.data('POST', `/v1/instructions/${canceled.ids[0]}/cancel`, { body: {} });
    expect(await statusesOf(canceled.message_id)).toEqual(['canceled', 'awaiting_approval']);
    await describeIt(canceled.message_id, canceled.ids[1]);
    expect(await approve(canceled.ids[1])).toBe(200);
    const late = await bringTo(conductor, [WRITE, ASKS]);
    edge.now += 3_600_000;
    await sweep(conductor);
    expect(await statusesOf(late.message_id)).toEqual(['interrupted', 'awaiting_approval']);
    await edge.data('POST', `/v1/instructions/${late.ids[1]}/cancel`, { body: {} });
    expect(await messageStatus(late.message_id)).toBe('failed');
  });

  it('is blocked, and no person is asked, when the system is paused at its turn', async () => {
    const { ids, message_id } = await bringTo(conductor, [WRITE, ASKS]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    await conductor.mode('pause');
    await end(message_id, ids[0]);
    await conductor.mode('resume');
    expect(await statusesOf(message_id)).toEqual(['succeeded', 'blocked']);
  });

  it('is shown what the node of an earlier version described with the message', async () => {
    const { ids, message_id } = await bringTo(conductor, [WRITE, ASKED]);
    expect(await detail(ids[1])).toMatchObject({ status: 'waiting', approval: null });
    await end(message_id, ids[0]);
    expect((await detail(ids[1])).approval).toEqual(APPROVAL);
  });
});

describe('several instructions of one message that ask', () => {
  it('are asked about one after the other, each when the one before it has ended', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED, ASKS, ASKS]);
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval', 'waiting', 'waiting']);
    expect(await approve(ids[0])).toBe(200);
    expect(await statusesOf(message_id)).toEqual(['claimed', 'waiting', 'waiting']);
    await end(message_id, ids[0]);
    await describeIt(message_id, ids[1]);
    const body = { approval_hash: HASH };
    expect((await edge.call('POST', `/v1/instructions/${ids[1]}/deny`, { body })).status).toBe(200);
    expect(await statusesOf(message_id)).toEqual(['succeeded', 'denied', 'awaiting_approval']);
    expect((await commandsFor(conductor, 'approval.decided')).at(-1)?.body.released).toMatchObject([
      { status: 'succeeded' },
      { status: 'awaiting_approval' },
    ]);
  });

  it('count toward the limit of approvals before their turn', async () => {
    const remote = nextConversation();
    await bringTo(conductor, [WRITE, ...Array.from({ length: 31 }, () => ASKS)], remote);
    const [{ waiting } = { waiting: 0 }] = await rowsOf<{ waiting: number }>(
      "SELECT count(*) AS waiting FROM instructions WHERE status = 'waiting' AND policy->>'decision' = 'ask'",
    );
    expect(waiting).toBeGreaterThanOrEqual(31);
    const control = { ...RESUME, policy: { decision: 'ask', rule: 'r' } as const };
    const next = await bringTo(conductor, [control, control], remote);
    expect(next.instructions.map(({ gate }) => gate)).toEqual([null, 'too_many_approvals']);
  });
});

describe('an edge or browser tool that asks behind another instruction', () => {
  it.each([
    ['edge', RESUME, 'conductor::system/resume'],
    ['browser', { target: 'browser.chatgpt', tool: 'send', params: { prompt: 'hello' } }, 'prompt:\nhello'],
  ])('%s: is described by the edge and shown at its turn, not by what its node reports', async (_kind, call, text) => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, { ...call, policy: ASKS.policy }]);
    expect((await detail(ids[1])).approval).toBeNull();
    await end(message_id, ids[0], [{ instruction_id: ids[1], approval: { ...APPROVAL, display: 'ls' } }]);
    const { approval } = await detail(ids[1]);
    expect(approval?.display).toContain(text);
    expect(await approve(ids[1], approval?.approval_hash)).toBe(200);
  });
});
