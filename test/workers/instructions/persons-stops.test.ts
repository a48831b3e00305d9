import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { automationState } from '../../../durable-objects/stubs.ts';
import type { InstructionDetailSchema } from '../../../schema/contracts/instructions.ts';
import { APPROVALS } from '../../../schema/defaults.ts';
import { Conductor, EXEC, OTHER_NODE, RESUME } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { ASKED, bringTo, browserOf, commandsFor, nextConversation, statusesOf } from './support.ts';

type Detail = z.infer<typeof InstructionDetailSchema>;

const conductor = new Conductor();
const { edge } = conductor;
const DRAIN = { target: 'conductor', tool: 'system/drain', params: {} };
const modeOf = (mode: string) => ({
  target: 'conductor',
  tool: 'conversation/mode',
  params: { scope: 'current', mode },
});
const detail = (id: string | undefined) => edge.data<Detail>('GET', `/v1/instructions/${id}`);
const systemState = () => edge.data<{ mode: string; hold: boolean; requested_by: string }>('GET', '/v1/system/state');
const hold = () => edge.data('POST', '/v1/system/pause', { body: { hold: true } });
const run = (id: string | undefined) =>
  conductor.act<{ status: string; error_code: string | null; output: string }>(`/v1/instructions/${id}/run`);
/** A person approves exactly what is shown. */
async function approve(id: string | undefined): Promise<number> {
  const { approval } = await detail(id);
  const body = { approval_hash: approval?.approval_hash };
  return (await edge.call('POST', `/v1/instructions/${id}/approve`, { body })).status;
}

afterEach(async () => {
  await conductor.mode('resume');
  await env.DB.exec("UPDATE instructions SET status = 'canceled' WHERE status IN ('awaiting_approval', 'waiting')");
});

describe('a chat under a pause with hold', () => {
  it.each([
    ['resume', RESUME, 'running'],
    ['drain', DRAIN, 'draining'],
  ] as const)(
    'asks a person for %s although its node allows it, and a person who approves ends the pause',
    async (_name, call, mode) => {
      await hold();
      const { ids, ingest_status } = await bringTo(conductor, [call]);
      expect(ingest_status).toBe('awaiting_approval');
      expect((await run(ids[0]).catch(() => null))?.status ?? 'refused').toBe('refused');
      expect(await systemState()).toMatchObject({ mode: 'paused', hold: true });
      expect(await approve(ids[0])).toBe(200);
      expect(await run(ids[0])).toMatchObject({ status: 'succeeded' });
      expect(await systemState()).toMatchObject({ mode, hold: false });
    },
  );

  it('is denied at the effect when the hold came after its claim', async () => {
    await conductor.mode('pause');
    const { ids, ingest_status } = await bringTo(conductor, [RESUME]);
    expect(ingest_status).toBe('accepted');
    await hold();
    const result = await run(ids[0]);
    expect(result).toMatchObject({ status: 'denied', error_code: 'held_by_a_person' });
    expect(result.output).toContain('a person');
    expect(await systemState()).toMatchObject({ mode: 'paused', hold: true });
  });

  it('is asked about by what the edge writes, not by what its node shows', async () => {
    await hold();
    const approval = { display: 'ls', approval_hash: 'a'.repeat(64), cwd: '/', env_names: [], file_hashes: {} };
    const { ids } = await bringTo(conductor, [{ ...RESUME, policy: { decision: 'ask', rule: 'x' }, approval }]);
    const shown = (await detail(ids[0])).approval;
    expect(shown?.display).toContain('conductor::system/resume');
    expect(shown?.approval_hash).not.toBe(approval.approval_hash);
  });
});

it('the end of a pause without hold needs no person', async () => {
  await conductor.mode('pause');
  const { ids } = await bringTo(conductor, [RESUME]);
  expect(await run(ids[0])).toMatchObject({ status: 'succeeded' });
  expect(await systemState()).toMatchObject({ mode: 'running' });
});

it('a person ends a pause with hold, and a second pause does not take the hold from it', async () => {
  await hold();
  await conductor.mode('pause');
  expect(await systemState()).toMatchObject({ mode: 'paused', hold: true });
  expect(await rowsOf('SELECT mode, hold FROM fence')).toEqual([{ mode: 'paused', hold: 1 }]);
  await conductor.mode('resume');
  expect(await systemState()).toMatchObject({ mode: 'running', hold: false });
});

it('a change of the mode names the principal, and what the body says of who asks is quoted as a note', async () => {
  await edge.data('POST', '/v1/system/pause', { body: { requested_by: 'the owner\u001b[2J' } });
  const { requested_by } = await systemState();
  expect(requested_by).toMatch(/^\S+ \(note: "the owner\\\\u\{1b\}\[2J"\)$/);
  expect(requested_by.startsWith('the owner')).toBe(false);
});

it('the record of a version without hold is read as one without hold', async () => {
  const record = { mode: 'paused', version: 3, since: 5, requested_by: null, reason: null, epoch: 0 };
  const { SystemRecordSchema } = await import('../../../schema/contracts/system.ts');
  expect(SystemRecordSchema.parse(record)).toEqual({ ...record, hold: false });
  expect(await automationState(env).read()).toMatchObject({ hold: false });
});

describe('a chat whose conversation a person has stopped', () => {
  it('asks a person for auto, and has it when the person approves', async () => {
    const { local_conversation_id, remote } = await bringTo(conductor, [EXEC]);
    await edge.data('POST', `/v1/renewal/conversations/${local_conversation_id}/paused`, { body: {} });
    const { ids, ingest_status } = await bringTo(conductor, [modeOf('auto')], remote);
    expect(ingest_status).toBe('awaiting_approval');
    expect((await detail(ids[0])).approval?.display).toContain('a person has paused this conversation');
    expect(await approve(ids[0])).toBe(200);
    expect(await run(ids[0])).toMatchObject({ status: 'succeeded' });
  });

  it('is denied at the effect when the person stopped it after the claim', async () => {
    const { ids, local_conversation_id } = await bringTo(conductor, [modeOf('auto')]);
    await edge.data('POST', `/v1/renewal/conversations/${local_conversation_id}/paused`, { body: {} });
    expect(await run(ids[0])).toMatchObject({ status: 'denied', error_code: 'held_by_a_person' });
    const row = await edge.data<{ automation_status: string }>(
      'GET',
      `/v1/renewal/conversations/${local_conversation_id}`,
    );
    expect(row.automation_status).toBe('paused');
  });

  it('sets a status by itself that was never set', async () => {
    const { ids, ingest_status } = await bringTo(conductor, [modeOf('auto')]);
    expect(ingest_status).toBe('accepted');
    expect(await run(ids[0])).toMatchObject({ status: 'succeeded' });
  });
});

describe('what a person is shown', () => {
  it('names the conversation that a browser tool means by its title', async () => {
    const { remote } = await bringTo(conductor, [EXEC]);
    const SEND = { target: 'browser.chatgpt', tool: 'send', params: { prompt: 'hello', conversation_id: remote } };
    const { ids } = await bringTo(conductor, [{ ...SEND, policy: { decision: 'ask', rule: 'default' } }]);
    const { approval } = await detail(ids[0]);
    expect(approval?.display).toContain(`conversation: "A chat" (chatgpt, conversation "${remote}")`);
    expect(approval?.display).toContain('prompt:\nhello');
  });

  it('holds nothing that a terminal acts upon, also when the node sent it', async () => {
    const evil = 'ls\u001b[2J\u202e';
    const approval = {
      display: evil,
      approval_hash: 'a'.repeat(64),
      cwd: evil,
      env_names: [evil],
      file_hashes: { [evil]: evil },
    };
    const { ids } = await bringTo(conductor, [{ ...ASKED, approval }]);
    const shown = (await detail(ids[0])).approval;
    const visible = 'ls\\u{1b}[2J\\u{202e}';
    expect(shown).toMatchObject({
      display: visible,
      cwd: visible,
      env_names: [visible],
      file_hashes: { [visible]: visible },
    });
  });
});

it('a browser tool that a person approved is sent to the other node as approved, with the conversation that asks', async () => {
  await browserOf(conductor, OTHER_NODE, 'firefox-other');
  const remote = nextConversation();
  const SEND = { target: 'browser.chatgpt', tool: 'send', params: { prompt: 'hello' } };
  const asked = await bringTo(conductor, [{ ...SEND, policy: { decision: 'ask', rule: 'default' } }], remote);
  expect(await approve(asked.ids[0])).toBe(200);
  await run(asked.ids[0]);
  const allowed = await bringTo(conductor, [SEND]);
  await run(allowed.ids[0]);
  const commands = await commandsFor(conductor, 'instruction', OTHER_NODE);
  expect(commands.map(({ body }) => body)).toMatchObject([
    { approved: true, conversation_id: remote },
    { approved: false, conversation_id: allowed.remote },
  ]);
});

it('approvals beyond the limit of a conversation are denied for any number of messages', async () => {
  const remote = nextConversation();
  const full = Array.from({ length: APPROVALS.max_per_conversation }, () => ASKED);
  const first = await bringTo(conductor, full, remote);
  expect(new Set(await statusesOf(first.message_id))).toEqual(new Set(['awaiting_approval', 'waiting']));
  const next = await bringTo(conductor, [ASKED], remote);
  expect(next).toMatchObject({ ingest_status: 'denied_only', instructions: [{ gate: 'too_many_approvals' }] });
});
