import { afterEach, describe, expect, it, vi } from 'vitest';
import { HASH, storyOf } from '../instructions/support.ts';
import { Conductor, OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { call, callsFor, claim, connect, eventually, nextCall, runNext, statusOf } from './support.ts';

const EXEC = { argv: ['true'] };
/** Longer than a request waits. */
const WAITED_MS = 31_000;

/** A conductor whose node is known and in contact. */
async function scene() {
  const conductor = new Conductor();
  await register(conductor, NODE);
  const { client, token } = await connect(conductor);
  return { conductor, client, token };
}

async function register(conductor: Conductor, nodeId: string): Promise<void> {
  await conductor.act(
    '/v1/controllers/heartbeat',
    { host: nodeId, role: 'primary', priority: 1, status: 'standby' },
    nodeId,
  );
  await conductor.heard(nodeId);
}

async function forget(nodeId: string): Promise<void> {
  await rowsOf('DELETE FROM nodes WHERE controller_id = ?', nodeId);
}

afterEach(() => void vi.useRealTimers());

/** The real clock, which a waiting request reads, is now that much later. */
function later(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}

describe('a call of a host tool', () => {
  it('is judged, claimed and run by the only node, and answers with its output', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const given = await runNext(conductor, { output: 'done\n', exit_code: 0 });
    expect(given).toMatchObject({ name: 'conductor::exec', params: EXEC });
    expect(await answer).toMatchObject({
      isError: false,
      data: { instruction_id: given.instruction_id, status: 'succeeded', output: 'done\n', exit_code: 0, node: NODE },
    });
    expect(await storyOf(given.instruction_id)).toEqual(['observed', 'judged', 'claimed', 'ended']);
    const [row] = await rowsOf<{ written_by: string }>(
      "SELECT actor AS written_by FROM audit WHERE action = 'MCP exec' AND subject_id = ?",
      given.instruction_id,
    );
    expect(row?.written_by).toBe('a browser_admin');
  });

  it('that fails is an error with its output and exit code', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', { argv: ['false'] });
    await runNext(conductor, { status: 'failed', output: 'no\n', exit_code: 1, error_code: 'exit_code' });
    expect(await answer).toMatchObject({
      isError: true,
      data: { status: 'failed', error: 'exit_code', exit_code: 1, output: 'no\n' },
    });
  });

  it('with arguments that do not fit names the field, and is given to no node', async () => {
    const { conductor, client } = await scene();
    expect(await call(client, 'files_read', { path: 7 })).toMatchObject({
      isError: true,
      data: { error: 'invalid_request', details: { field: 'path' } },
    });
    expect(await callsFor(conductor)).toEqual([]);
  });

  it('of a tool that does not exist is an error of the protocol', async () => {
    const { client } = await scene();
    await expect(async () => call(client, 'no_such_tool')).rejects.toThrow(/no_such_tool/);
  });

  it('that the policy denies is an error with its rule, and is not run', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    await claim(conductor, await nextCall(conductor), 'deny');
    expect(await answer).toMatchObject({ isError: true, data: { status: 'denied', error: 'denied_by_policy' } });
    expect(JSON.stringify((await answer).data)).toContain('a rule');
  });

  it('a long output is cut, and output_read reads the rest', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    await runNext(conductor, { output: `${'x'.repeat(20_000)}end` });
    const { data } = await answer;
    expect(data).toMatchObject({ output: 'x'.repeat(12_000), output_chars: 20_003, next_offset: 12_000 });
    const rest = await call(client, 'output_read', { instruction_id: data.instruction_id, offset: 20_000 });
    expect(rest.data.output).toMatch(/\nend$/);
  });
});

describe('a call that asks a person', () => {
  it('runs when it is approved while the call waits', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const { instruction_id, ...given } = await nextCall(conductor);
    const { instructions } = await claim(conductor, { instruction_id, ...given }, 'ask');
    expect(instructions).toMatchObject([{ status: 'awaiting_approval' }]);
    await conductor.edge.data('POST', `/v1/instructions/${instruction_id}/approve`, { body: { approval_hash: HASH } });
    await conductor.result(instruction_id);
    expect(await answer).toMatchObject({ isError: false, data: { status: 'succeeded', output: 'ok' } });
  });

  it('answers after half a minute that it waits, and status reads it again', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const given = await nextCall(conductor);
    await claim(conductor, given, 'ask');
    later(WAITED_MS);
    const { instruction_id } = given;
    expect(await answer).toMatchObject({ isError: false, data: { instruction_id, status: 'awaiting_approval' } });
    expect(await call(client, 'status', { instruction_id })).toMatchObject({
      isError: false,
      data: { status: 'awaiting_approval' },
    });
    await conductor.edge.data('POST', `/v1/instructions/${instruction_id}/deny`, { body: { approval_hash: HASH } });
    expect(await call(client, 'status', { instruction_id })).toMatchObject({
      isError: true,
      data: { status: 'denied', error: 'denied_by_a_person', message: 'it was not run: a person denied it' },
    });
  });

  it('is denied with another reason when it had changed since a person was asked', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const { instruction_id, ...given } = await nextCall(conductor);
    await claim(conductor, { instruction_id, ...given }, 'ask');
    await conductor.edge.data('POST', `/v1/instructions/${instruction_id}/approve`, { body: { approval_hash: HASH } });
    await conductor.result(instruction_id, { status: 'denied', error_code: 'approval_drifted', output: 'a file' });
    expect(await answer).toMatchObject({
      isError: true,
      data: { status: 'denied', error: 'approval_drifted', message: expect.stringContaining('had changed since') },
    });
  });

  it('is not approved with the token that asked, and is with another', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const given = await nextCall(conductor);
    await claim(conductor, given, 'ask');
    const decision = { instruction_id: given.instruction_id, approval_hash: HASH };
    expect((await call(client, 'approvals_list')).data.items).toMatchObject([{ asked_with_this_token: true }]);
    expect(await call(client, 'approve', decision)).toMatchObject({ isError: true, data: { error: 'forbidden' } });
    expect(await statusOf(given.instruction_id)).toBe('awaiting_approval');
    const other = await connect(conductor);
    expect((await call(other.client, 'approvals_list')).data.items).toMatchObject([
      { instruction_id: given.instruction_id, asked_with_this_token: false, approval: { approval_hash: HASH } },
    ]);
    expect((await call(other.client, 'approve', decision)).isError).toBe(false);
    await conductor.result(given.instruction_id);
    expect((await answer).data.status).toBe('succeeded');
  });
});

describe('a call that cannot run now', () => {
  it('is blocked by a pause, which a resume does not run after all', async () => {
    const { conductor, client } = await scene();
    await conductor.mode('pause');
    const answer = call(client, 'exec', EXEC);
    const given = await nextCall(conductor);
    expect((await claim(conductor, given)).instructions).toMatchObject([{ status: 'blocked', gate: 'system_paused' }]);
    expect(await answer).toMatchObject({ isError: true, data: { status: 'blocked', error: 'system_paused' } });
    await conductor.mode('resume');
    expect(await statusOf(given.instruction_id)).toBe('blocked');
  });

  it('fails at once when no node is connected', async () => {
    const { client } = await scene();
    await forget(NODE);
    expect(await call(client, 'exec', EXEC)).toMatchObject({ isError: true, data: { error: 'node_unreachable' } });
  });

  it('is given up when its node does not respond, and does not run when the node comes back', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const given = await nextCall(conductor);
    later(WAITED_MS);
    expect(await answer).toMatchObject({ isError: true, data: { error: 'node_unreachable' } });
    expect(await callsFor(conductor)).toEqual([]);
    expect((await claim(conductor, given)).instructions).toMatchObject([{ status: 'expired' }]);
  });

  it('is not claimed when its caller gave up between the reading and the writing of the claim', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const given = await nextCall(conductor);
    const claimed = await conductor.edge.race(
      () => claim(conductor, given),
      () => rowsOf('UPDATE mcp_calls SET ended_at = ? WHERE message_id = ?', conductor.edge.now, given.message_id),
    );
    expect(claimed.instructions).toMatchObject([{ status: 'expired' }]);
    await answer;
  });

  it('asks for the node when more than one is connected', async () => {
    const { conductor, client } = await scene();
    await register(conductor, OTHER_NODE);
    expect(await call(client, 'exec', EXEC)).toMatchObject({
      isError: true,
      data: { error: 'invalid_request', details: { field: 'node', expected: expect.stringContaining(OTHER_NODE) } },
    });
    const answer = call(client, 'exec', { ...EXEC, node: OTHER_NODE });
    const given = await nextCall(conductor, OTHER_NODE);
    await claim(conductor, given, 'deny', OTHER_NODE);
    expect((await answer).data.node).toBe(OTHER_NODE);
    await forget(OTHER_NODE);
  });

  it('is claimed by the node that was asked only', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const given = await nextCall(conductor);
    await conductor.token(OTHER_NODE);
    await expect(async () => claim(conductor, given, 'allow', OTHER_NODE)).rejects.toThrow(/not_owner/);
    await claim(conductor, given, 'deny');
    await answer;
  });
});

describe('a call that takes longer', () => {
  it('reports progress to a client that asks for it, and answers that it runs', async () => {
    const { conductor, client } = await scene();
    const messages: unknown[] = [];
    const onprogress = ({ message }: { message?: string }) => void messages.push(message);
    const answer = client.callTool({ name: 'exec', arguments: EXEC }, { onprogress });
    const given = await nextCall(conductor);
    await claim(conductor, given);
    await conductor.act(`/v1/instructions/${given.instruction_id}/started`);
    await eventually(async () => (messages.some((one) => String(one).endsWith('is running')) ? true : undefined));
    later(WAITED_MS);
    const { isError, structuredContent } = await answer;
    expect(isError ?? false).toBe(false);
    expect(structuredContent).toMatchObject({ instruction_id: given.instruction_id, status: 'running' });
  });

  it('is ended by cancel', async () => {
    const { conductor, client } = await scene();
    const answer = call(client, 'exec', EXEC);
    const given = await nextCall(conductor);
    await claim(conductor, given);
    const { instruction_id } = given;
    expect((await call(client, 'cancel', { instruction_id })).isError).toBe(false);
    expect(await answer).toMatchObject({ isError: true, data: { status: 'canceled' } });
  });
});
