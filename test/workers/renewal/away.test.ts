import { beforeAll, describe, expect, it } from 'vitest';
import type { IngestResponse } from '../../../schema/contracts/instructions.ts';
import { TestNode } from '../objects/support.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
const LAPTOP = 'laptop-main';
beforeAll(() => renewals.lead());

/** A settled message in a conversation that only a browser of that node has open; the node has made no contact since. */
async function settledOn(controller_id: string, conversation: string): Promise<IngestResponse> {
  const { token } = await edge.mint('controller', { controller_id });
  const body = renewals.message({
    controller_id,
    client_id: `at-${controller_id}`,
    remote_conversation_id: conversation,
  });
  const response = await edge.data<IngestResponse>('POST', '/v1/messages', { token, body });
  await renewals.automation(response.local_conversation_id, 'auto');
  edge.now += 10_000;
  return response;
}

const sentOf = (jobId: string) => rowsOf('SELECT 1 FROM commands WHERE body LIKE ?', `%${jobId}%`);

describe('a renewal whose node is away', () => {
  it('waits for the node without using an attempt, and next_renewal says node_unreachable', async () => {
    const { message_id, local_conversation_id } = await settledOn(LAPTOP, 'away-1');
    await renewals.tick();
    const job = await renewals.jobOf(message_id);
    expect(job).toMatchObject({
      status: 'pending',
      attempt_count: 0,
      last_error: 'node_unreachable',
      next_attempt_at: edge.now + 300_000,
    });
    expect(await sentOf(job.job_id)).toEqual([]);
    expect(await renewals.next(local_conversation_id)).toEqual({ due: false, at: null, reason: 'node_unreachable' });
    // A night later it asks for its commands, over a network that lets no socket through.
    edge.now += 43_200_000;
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).status).toBe('pending');
    await renewals.heard(LAPTOP);
    edge.now += 300_000;
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'running', attempt_count: 1 });
  });

  it('is sent as soon as the node says hello', async () => {
    const { message_id } = await settledOn('desk-main', 'away-2');
    await renewals.tick();
    const { job_id } = await renewals.jobOf(message_id);
    // A node's hello and the alarm go by the real clock.
    await rowsOf('UPDATE renewal_jobs SET next_attempt_at = ? WHERE job_id = ?', Date.now() + 240_000, job_id);
    const node = await TestNode.connect('desk-main');
    await node.hello();
    expect((await node.next('command')).command).toMatchObject({ kind: 'delivery', body: { job_id } });
    node.close();
  });

  it('is delivered by another browser that has the conversation open', async () => {
    const { message_id } = await settledOn('attic-main', 'away-3');
    await renewals.browser({ conversation: 'away-3', tab_id: 23 });
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).target_snapshot).toMatchObject({ target: { id: 'tab:23' } });
  });
});
