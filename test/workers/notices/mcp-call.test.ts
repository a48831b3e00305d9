import { expect, it } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import { HASH } from '../instructions/support.ts';
import { claim, nextCall, post } from '../mcp/support.ts';
import { NODE } from '../support/edge.ts';
import { Notified } from './support.ts';

const conductor = new Notified();
const { edge } = conductor;

it('a call through MCP that waits for a person makes the look for notices due at once', async () => {
  await conductor.lead();
  await conductor.act('/v1/controllers/heartbeat', { host: 'mini', role: 'primary', priority: 1, status: 'standby' });
  await conductor.heard(NODE);
  await conductor.sendTo('accepts');
  await conductor.tick();
  const dueAt = async () => (await timedJobs(edge.env).read()).next_due_at;
  expect(await dueAt()).not.toBe(edge.now);
  const { token } = await edge.mint('browser_admin');
  const called = post(conductor, token, { name: 'exec', args: { argv: ['true'] } });
  const { instruction_id } = await claim(conductor, await nextCall(conductor), 'ask').then(
    ({ instructions: [one] }) => one ?? { instruction_id: '' },
  );
  expect(await dueAt()).toBe(edge.now);
  await conductor.tick();
  expect(await conductor.received()).toHaveLength(1);
  await edge.data('POST', `/v1/instructions/${instruction_id}/deny`, { body: { approval_hash: HASH } });
  expect((await called).data.status).toBe('denied');
});
