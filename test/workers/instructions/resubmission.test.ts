import { beforeAll, describe, expect, it } from 'vitest';
import type { MessageClaimResponse, PolicyDecision } from '../../../schema/contracts/instructions.ts';
import { Conductor, DESCRIBE, EXEC, instructionsOf, OTHER_NODE } from '../support/conductor.ts';
import { NODE } from '../support/edge.ts';
import {
  ASKED,
  bringTo,
  browserOf,
  commandsFor,
  HASH,
  messageStatus,
  moveBrowser,
  nextConversation,
  statusesOf,
  storyOf,
  sweep,
} from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
beforeAll(() => browserOf(conductor, NODE, 'firefox-1'));

/** A message that a pause stopped; the system runs again. */
async function blocked(...asked: Parameters<typeof instructionsOf>) {
  await conductor.mode('pause');
  const brought = await bringTo(conductor, asked);
  await conductor.mode('resume');
  return brought;
}
const resubmit = (id: string) =>
  edge.data<{ command_id: string; controller_id: string }>('POST', `/v1/messages/${id}/resubmit`, { body: {} });
const refusal = (id: string) => edge.error('POST', `/v1/messages/${id}/resubmit`, { body: {} });

function verdicts(ids: readonly string[], ...decisions: PolicyDecision[]) {
  return ids.map((instruction_id, at) => {
    const decision = decisions[at] ?? 'allow';
    const policy = { decision, rule: 'judged again' };
    return decision === 'ask' ? { instruction_id, policy, approval: ASKED.approval } : { instruction_id, policy };
  });
}
const claim = (id: string, instructions: ReturnType<typeof verdicts>, node: string = NODE) =>
  conductor.act<MessageClaimResponse>(`/v1/messages/${id}/claim`, { instructions }, node);

describe('the resubmission of a message that a pause stopped', () => {
  it('a resubmitted message goes to the node that has its browser, which claims it and runs it', async () => {
    const { ids, message_id, local_conversation_id, remote } = await blocked(EXEC, EXEC);
    const asked = await resubmit(message_id);
    expect(asked.controller_id).toBe(NODE);
    // Until it is claimed, a second resubmission sends no second command.
    expect(await resubmit(message_id)).toEqual(asked);
    const [command, ...more] = await commandsFor(conductor, 'message.resubmit');
    expect(more).toEqual([]);
    expect(command?.body).toMatchObject({
      message_id,
      local_conversation_id,
      remote_conversation_id: remote,
      target: { client_id: 'firefox-1', tab_id: 17 },
      instructions: [
        { instruction_id: ids[0], index: 0, target: 'conductor', tool: 'exec' },
        { instruction_id: ids[1], index: 1 },
      ],
    });
    const response = await claim(message_id, verdicts(ids));
    expect(response).toMatchObject({
      ingest_status: 'accepted',
      instructions: [
        { status: 'claimed', gate: null, claim_expires_in_ms: 660_000 },
        { status: 'claimed', gate: null, claim_expires_in_ms: 1_260_000 },
      ],
    });
    for (const id of ids) await conductor.result(id);
    expect(await messageStatus(message_id)).toBe('executed');
    expect(await storyOf(ids[0])).toEqual(['observed', 'judged', 'gated', 'resubmitted', 'judged', 'claimed', 'ended']);
  });

  it('the new verdicts of the host count: deny, shadow, ask, and allow behind the approval', async () => {
    const { ids, message_id } = await blocked(EXEC, EXEC, EXEC, EXEC);
    await resubmit(message_id);
    const response = await claim(message_id, verdicts(ids, 'deny', 'shadow', 'ask', 'allow'));
    expect(response.instructions.map((one) => one.status)).toEqual([
      'denied',
      'shadowed',
      'awaiting_approval',
      'waiting',
    ]);
    expect(response.ingest_status).toBe('awaiting_approval');
    const approve = { body: { approval_hash: HASH } };
    expect((await edge.call('POST', `/v1/instructions/${ids[2]}/approve`, approve)).status).toBe(200);
    const { rest } = await conductor.result(ids[2] ?? '');
    expect(rest.at(-1)?.status).toBe('claimed');
  });

  it('a resubmitted message that a gate stops stays stopped, and may be resubmitted again', async () => {
    const { ids, message_id } = await blocked(EXEC);
    await resubmit(message_id);
    await conductor.mode('pause');
    const stopped = await claim(message_id, verdicts(ids));
    await conductor.mode('resume');
    expect(stopped).toMatchObject({
      ingest_status: 'system_paused',
      instructions: [{ status: 'blocked', gate: 'system_paused' }],
    });
    await resubmit(message_id);
    expect((await claim(message_id, verdicts(ids))).instructions[0]?.status).toBe('claimed');
  });

  it('a resubmitted message is not claimed while another message of its conversation executes', async () => {
    const { ids, message_id, remote } = await blocked(EXEC);
    await bringTo(conductor, [EXEC], remote);
    await resubmit(message_id);
    expect((await claim(message_id, verdicts(ids))).instructions[0]).toMatchObject({
      status: 'blocked',
      gate: 'automation_busy',
    });
  });

  it('an instruction that the host does not find in the text again stays blocked', async () => {
    const { ids, message_id } = await blocked(EXEC, EXEC);
    await resubmit(message_id);
    await claim(message_id, verdicts(ids.slice(0, 1)));
    expect(await statusesOf(message_id)).toEqual(['claimed', 'blocked']);
  });

  it('a repeated claim changes nothing, and gets the current statuses', async () => {
    const { ids, message_id } = await blocked(EXEC);
    await resubmit(message_id);
    const responses = await Promise.all([1, 2, 3].map(() => claim(message_id, verdicts(ids))));
    expect(responses.map((response) => response.instructions[0]?.status)).toEqual(['claimed', 'claimed', 'claimed']);
    expect((await storyOf(ids[0])).filter((kind) => kind === 'claimed')).toHaveLength(1);
    await conductor.result(ids[0] ?? '');
    expect((await claim(message_id, verdicts(ids))).instructions[0]?.status).toBe('succeeded');
  });
});

describe('the resubmission of a message that something else stopped', () => {
  it('a message that was too old, or whose readings differ, runs after a resubmission', async () => {
    const old = conductor.message({ remote_conversation_id: nextConversation(), instructions: instructionsOf(EXEC) });
    const mismatched = conductor.message({
      remote_conversation_id: nextConversation(),
      instructions: instructionsOf(EXEC),
      capture: { source: 'dom', other: 'differs' },
    });
    for (const [body, headers] of [
      [old, { 'x-baa-age-ms': '600001' }],
      [mismatched, {}],
    ] as const) {
      const { message_id, instructions } = await conductor.bring(body, headers);
      await resubmit(message_id);
      const ids = instructions.map((one) => one.instruction_id);
      expect((await claim(message_id, verdicts(ids))).ingest_status).toBe('accepted');
    }
  });

  it('an expired approval is asked for again', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    edge.now += 900_001;
    await sweep(conductor);
    await resubmit(message_id);
    expect((await claim(message_id, verdicts(ids, 'ask'))).instructions[0]?.status).toBe('awaiting_approval');
    edge.now += 60_000;
    await sweep(conductor);
    expect(await statusesOf(message_id)).toEqual(['awaiting_approval']);
  });
});

describe('a resubmission that is refused', () => {
  it('a message that is executing, or has nothing stopped, cannot be resubmitted', async () => {
    const { ids, message_id } = await bringTo(conductor, [DESCRIBE]);
    expect(await refusal(message_id)).toMatchObject({ status: 409, error: 'conflict' });
    await conductor.act(`/v1/instructions/${ids[0]}/run`);
    expect(await refusal(message_id)).toMatchObject({ status: 409, error: 'conflict' });
  });

  it('a message whose browser is not connected cannot be resubmitted', async () => {
    const { message_id } = await blocked(EXEC);
    await browserOf(conductor, NODE, 'firefox-1', { connected: false });
    expect(await refusal(message_id)).toMatchObject({ status: 503, error: 'no_active_client' });
    await browserOf(conductor, NODE, 'firefox-1');
  });

  it('a node that was not asked, or was asked too long ago, claims nothing', async () => {
    const { ids, message_id } = await blocked(EXEC);
    expect((await claim(message_id, verdicts(ids))).instructions[0]?.status).toBe('blocked');
    await resubmit(message_id);
    const token = await conductor.token(OTHER_NODE);
    const body = { controller_id: OTHER_NODE, instructions: verdicts(ids) };
    expect((await edge.error('POST', `/v1/messages/${message_id}/claim`, { token, body })).error).toBe('not_owner');
    // The right to claim ends with the command.
    edge.now += 120_001;
    expect((await claim(message_id, verdicts(ids))).instructions[0]?.status).toBe('blocked');
    expect(await statusesOf(message_id)).toEqual(['blocked']);
  });
});

it('a message whose browser is now at another node is claimed by that node', async () => {
  const { ids, message_id } = await blocked(EXEC);
  await moveBrowser(conductor, 'firefox-1', OTHER_NODE);
  expect((await resubmit(message_id)).controller_id).toBe(OTHER_NODE);
  await claim(message_id, verdicts(ids), OTHER_NODE);
  const token = await conductor.token();
  const body = { controller_id: NODE };
  expect((await edge.error('POST', `/v1/instructions/${ids[0]}/started`, { token, body })).error).toBe('not_owner');
  await conductor.act(`/v1/instructions/${ids[0]}/started`, {}, OTHER_NODE);
  await moveBrowser(conductor, 'firefox-1', NODE);
});
