import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NodeView } from '../../../schema/contracts/nodes.ts';
import type { Status } from '../../../schema/contracts/status.ts';
import { Conductor, DESCRIBE, instructionsOf } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';

const conductor = new Conductor();
const { edge } = conductor;
const nested = '['.repeat(5_000) + ']'.repeat(5_000);
const clientPath = `/v1/controllers/${NODE}/clients/firefox-1`;

/** Every JSON column, which somebody who writes D1, or a restore, may damage. */
const JSON_COLUMNS = [
  ['nodes', 'metadata'],
  ['clients', 'platforms'],
  ['messages', 'capture'],
  ['messages', 'block_errors'],
  ['instructions', 'params'],
  ['instructions', 'policy'],
  ['conversation_links', 'route_params'],
  ['conversation_links', 'target_payload'],
  ['ticks', 'entries'],
  ['event_batches', 'events'],
  ['commands', 'body'],
] as const;

const READS = [
  '/v1/status',
  '/v1/controllers',
  `/v1/controllers/${NODE}`,
  '/v1/browser?platform=chatgpt',
  '/v1/metrics',
  '/v1/messages',
  '/v1/instructions',
  '/v1/renewal/conversations',
  '/v1/renewal/links',
  '/v1/renewal/jobs',
  '/v1/timed-jobs/ticks',
  '/v1/events?wait_ms=0&last_event_id=0&topics=system',
];

let instructionId: string;
beforeEach(async () => {
  const node = { controller_id: NODE, host: 'mini', role: 'primary', priority: 1, status: 'standby' };
  await edge.data('POST', '/v1/controllers/heartbeat', {
    token: await conductor.token(),
    body: { ...node, metadata: { a: 1 } },
  });
  const platform = { platform: 'chatgpt', login: 'fresh', fingerprint: null, hooks: [], stopped_reason: null };
  const body = { connected: true, platforms: [platform], tabs: [] };
  await edge.data('PUT', clientPath, { token: await conductor.token(), body });
  const { instructions } = await conductor.bring(conductor.message({ instructions: instructionsOf(DESCRIBE) }));
  instructionId = instructions[0]?.instruction_id ?? '';
  await conductor.tick();
});

describe.each([
  ['is no JSON', '{"a":'],
  ['nests deeper than any body', nested],
])('a row whose JSON %s', (_what, stored) => {
  it.each(JSON_COLUMNS)('%s.%s: does not make any list fail', async (table, column) => {
    await env.DB.prepare(`UPDATE ${table} SET ${column} = ?1`).bind(stored).run();
    expect(
      (await rowsOf(`SELECT 1 FROM ${table} WHERE ${column} = ?1`, stored)).length + Number(table === 'commands'),
    ).toBeGreaterThan(0);
    for (const path of [...READS, `/v1/instructions/${instructionId}`]) {
      const { status, text } = await edge.call('GET', path);
      expect([path, status], text).toEqual([path, 200]);
    }
  });

  it('is shown with the names of its unreadable columns', async () => {
    await env.DB.prepare('UPDATE nodes SET metadata = ?1').bind(stored).run();
    await env.DB.prepare('UPDATE clients SET platforms = ?1').bind(stored).run();
    await env.DB.prepare('UPDATE instructions SET params = ?1').bind(stored).run();
    const { nodes, clients } = await edge.data<Status>('GET', '/v1/status');
    expect(nodes).toMatchObject([{ controller_id: NODE, metadata: {}, unreadable: ['metadata'] }]);
    expect(clients).toMatchObject([{ client_id: 'firefox-1', platforms: [], unreadable: ['platforms'] }]);
    expect(await edge.data<NodeView>('GET', `/v1/controllers/${NODE}`)).toMatchObject({
      unreadable: ['metadata'],
      clients: [{ unreadable: ['platforms'] }],
    });
    expect(await edge.data('GET', `/v1/instructions/${instructionId}`)).toMatchObject({ unreadable: ['params'] });
  });

  it('is whole again with the next report of its node', async () => {
    await env.DB.prepare('UPDATE nodes SET metadata = ?1').bind(stored).run();
    const node = { controller_id: NODE, host: 'mini', role: 'primary', priority: 1, status: 'standby' };
    await edge.data('POST', '/v1/controllers/heartbeat', {
      token: await conductor.token(),
      body: { ...node, metadata: { a: 2 } },
    });
    const [view] = (await edge.data<Status>('GET', '/v1/status')).nodes;
    expect([view?.metadata, view?.unreadable]).toEqual([{ a: 2 }, undefined]);
  });
});
