import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../../schema/contracts/tokens.ts';
import { withoutFence } from '../objects/support.ts';
import { EVENTS, rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
let tokens: Record<Role, string>;
beforeAll(async () => {
  tokens = await edge.tokens();
});
beforeEach(async () => {
  await edge.data('POST', '/v1/system/resume');
});

interface Change {
  mode: string;
  version: number;
  summary: string;
}
const state = () => edge.data<Record<string, unknown>>('GET', '/v1/system/state', { token: tokens.controller });
const fence = async () => (await rowsOf<{ mode: string; mode_version: number }>('SELECT * FROM fence WHERE id = 1'))[0];

describe('the system mode over HTTP', () => {
  it('a change of mode is in D1 before the response, with the principal, its note and the reason', async () => {
    const before = await state();
    const response = await edge.data<Change>('POST', '/v1/system/pause', {
      token: tokens.browser_admin,
      body: { reason: 'lunch', requested_by: 'someone' },
    });
    expect(response).toMatchObject({ accepted: true, status: 'applied', mode: 'paused' });
    expect(response.version).toBe(Number(before.version) + 1);
    expect(await fence()).toMatchObject({ mode: 'paused', mode_version: response.version });
    const requested_by = 'a browser_admin (note: "someone")';
    expect(await state()).toMatchObject({ mode: 'paused', reason: 'lunch', requested_by, drained: false });
  });

  it('the requester is the subject of the token by default', async () => {
    await edge.data('POST', '/v1/system/pause', { token: tokens.browser_admin });
    expect(await state()).toMatchObject({ requested_by: 'a browser_admin', reason: null });
  });

  it('a repeated change is accepted and changes nothing', async () => {
    const first = await edge.data<Change>('POST', '/v1/system/pause', { body: { reason: 'first' } });
    const second = await edge.data<Change>('POST', '/v1/system/pause', { body: { reason: 'second' } });
    expect(second).toMatchObject({ accepted: true, status: 'applied', mode: 'paused', version: first.version });
    expect(await state()).toMatchObject({ reason: 'first' });
  });

  it('a change of mode makes one event', async () => {
    const { version } = await edge.data<Change>('POST', '/v1/system/drain');
    await edge.data('POST', '/v1/system/drain');
    const events = await rowsOf<{ data: string }>(
      `SELECT data FROM ${EVENTS} WHERE topic = 'system' AND subject_id = 'draining'`,
    );
    expect(events.map(({ data }) => (JSON.parse(data) as Change).version)).toEqual([version]);
  });

  it('a change is not acknowledged while D1 cannot store it, and is on a retry', async () => {
    await withoutFence(async () => {
      expect(await edge.error('POST', '/v1/system/pause')).toMatchObject({
        status: 503,
        error: 'database_unavailable',
      });
    });
    expect(await fence()).toMatchObject({ mode: 'running' });
    const { version } = await edge.data<Change>('POST', '/v1/system/pause');
    expect(await fence()).toMatchObject({ mode: 'paused', mode_version: version });
  });

  it('only pause accepts interrupt', async () => {
    await edge.data('POST', '/v1/system/pause', { body: { interrupt: true } });
    for (const verb of ['resume', 'drain']) {
      expect(await edge.error('POST', `/v1/system/${verb}`, { body: { interrupt: true } })).toMatchObject({
        error: 'invalid_request',
        details: { field: 'interrupt' },
      });
    }
  });

  it('a draining system is drained when nothing is in progress', async () => {
    await edge.data('POST', '/v1/system/drain');
    expect(await state()).toMatchObject({ mode: 'draining', drained: true });
    await edge.data('POST', '/v1/system/resume');
    expect(await state()).toMatchObject({ mode: 'running', drained: false });
  });
});

describe('a pause that interrupts', () => {
  const instruction = (n: number, message: string, tool: string, status: string) =>
    env.DB.prepare(
      `INSERT INTO instructions (instruction_id, dedupe_key, message_id, local_conversation_id, controller_id,
        block_index, "index", target, tool, params, status, policy, timeout_ms, claim_expires_at, created_at, updated_at)
      VALUES (?, ?, ?, 'lc_1', 'mini-main', 0, ?, 'conductor', ?, '{}', ?, '{"decision":"allow","rule":"r"}', 1000, ?, 1, 1)`,
    ).bind(`ins_${n}`, `key-${n}`, message, n, tool, status, edge.now + 60_000);
  const message = (id: string) =>
    env.DB.prepare(
      `INSERT INTO messages (message_id, local_conversation_id, platform, remote_conversation_id, identity, text_hash,
        raw_text, role, controller_id, client_id, capture, block_errors, ingest_status, observed_at, received_at)
      VALUES (?, 'lc_1', 'claude', 'r', 'id:' || ?, 'h', 't', 'assistant', 'mini-main', 'k',
        '{"source":"dom","other":"agrees"}', '[]', 'accepted', 1, 1)`,
    ).bind(id, id);

  it('a pause with interrupt cancels claimed instructions, asks running ones to stop, and keeps control instructions', async () => {
    await env.DB.batch([
      env.DB.prepare(`INSERT INTO local_conversations (local_conversation_id, platform, remote_conversation_id,
        automation_status, last_non_paused_automation_status, created_at, updated_at)
        VALUES ('lc_1', 'claude', 'r', 'auto', 'auto', 1, 1)`),
      message('msg_1'),
      message('msg_2'),
      instruction(1, 'msg_1', 'files/write', 'succeeded'),
      instruction(2, 'msg_1', 'exec', 'running'),
      instruction(3, 'msg_1', 'exec', 'claimed'),
      instruction(4, 'msg_2', 'system/resume', 'claimed'),
    ]);
    const { summary } = await edge.data<Change>('POST', '/v1/system/pause', { body: { interrupt: true } });
    expect(summary).toContain('canceled');
    const states = await rowsOf<{ status: string }>('SELECT status FROM instructions ORDER BY instruction_id');
    expect(states.slice(0, 2).map(({ status }) => status)).toEqual(['succeeded', 'running']);
    expect(await rowsOf('SELECT kind, controller_id FROM commands')).toEqual([
      { kind: 'instruction.cancel', controller_id: 'mini-main' },
    ]);
    expect(['canceled', 'blocked']).toContain(states[2]?.status);
    expect(states[3]?.status).toBe('claimed');
    expect(await rowsOf('SELECT message_id, ingest_status FROM messages ORDER BY message_id')).toEqual([
      { message_id: 'msg_1', ingest_status: 'accepted' },
      { message_id: 'msg_2', ingest_status: 'accepted' },
    ]);
  });

  it('a second pause with interrupt cancels nothing more', async () => {
    await edge.data('POST', '/v1/system/pause', { body: { interrupt: true } });
    const { summary } = await edge.data<Change>('POST', '/v1/system/pause', { body: { interrupt: true } });
    expect(summary).toContain('0 canceled');
  });
});
