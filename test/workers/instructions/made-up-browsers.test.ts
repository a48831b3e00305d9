/** Browsers that a thief with the token of a node makes up: their number is bounded, and people see when each appeared. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../schema/contracts/audit.ts';
import { BROWSERS } from '../../../schema/defaults.ts';
import { Conductor, EXEC, instructionsOf, OTHER_NODE } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { browserOf, nextConversation } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
const refused = { status: 409, error: 'too_many_browsers', details: { field: 'client_id' } };

const report = async (clientId: string) => ({
  token: await conductor.token(OTHER_NODE),
  body: { connected: true, platforms: [], tabs: [] },
  path: `/v1/controllers/${OTHER_NODE}/clients/${clientId}`,
});
async function refusal(clientId: string) {
  const { path, ...call } = await report(clientId);
  return edge.error('PUT', path, call);
}
const count = async () => (await rowsOf('SELECT 1 FROM clients WHERE controller_id = ?', OTHER_NODE)).length;
/** The node has all the browsers that it may have. */
const fill = () =>
  rowsOf(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO clients (client_id, controller_id, connected, platforms, updated_at)
     SELECT 'made-up-' || i, ?, 1, '[]', ? FROM n`,
    BROWSERS.max_per_node,
    OTHER_NODE,
    edge.now,
  );

beforeEach(() => rowsOf('DELETE FROM clients'));

describe('a node with as many browsers as a node may have', () => {
  it('can report no further one, neither by itself nor with a message, and keeps those that it has', async () => {
    await fill();
    expect(await refusal('one-more')).toMatchObject(refused);
    const message = conductor.message({
      controller_id: OTHER_NODE,
      client_id: 'one-more',
      remote_conversation_id: nextConversation(),
      instructions: instructionsOf(EXEC),
    });
    const call = { token: await conductor.token(OTHER_NODE), body: { ...message } };
    expect(await edge.error('POST', '/v1/messages', call)).toMatchObject(refused);
    await browserOf(conductor, OTHER_NODE, 'made-up-1');
    expect(await count()).toBe(BROWSERS.max_per_node);
  });

  it('says what to look at and what to do', async () => {
    await fill();
    expect((await refusal('one-more')).message).toMatch(/64 browsers.*GET \/v1\/browser.*rotate the token/);
  });

  it('does not keep another node from a new browser', async () => {
    await fill();
    await browserOf(conductor, 'another-node', 'firefox-of-another');
  });

  it('has room again when browsers were not heard of for a month', async () => {
    await fill();
    edge.now += BROWSERS.counted_ms;
    await browserOf(conductor, OTHER_NODE, 'one-more');
    expect(await count()).toBe(BROWSERS.max_per_node + 1);
  });

  it('gets no more than the limit when it reports many at once', async () => {
    const made = Array.from({ length: 4 }, (_one, n) => `at-once-${n}`);
    await rowsOf('DELETE FROM clients');
    await fill();
    await rowsOf("DELETE FROM clients WHERE client_id IN ('made-up-1', 'made-up-2')");
    await Promise.all(
      made.map(async (clientId) => {
        const { path, ...call } = await report(clientId);
        return edge.call('PUT', path, call);
      }),
    );
    expect(await count()).toBe(BROWSERS.max_per_node);
  });
});

describe('a browser', () => {
  it('is shown with the time at which it was first seen, which its later reports do not change', async () => {
    await browserOf(conductor, OTHER_NODE, 'firefox-new');
    const first = edge.now;
    edge.now += 60_000;
    await browserOf(conductor, OTHER_NODE, 'firefox-new', { connected: false });
    const { clients } = await edge.data<{ clients: object[] }>('GET', '/v1/browser');
    expect(clients).toMatchObject([{ client_id: 'firefox-new', first_seen_at: first, updated_at: edge.now }]);
  });

  it('is an event and a row of the audit when it is first seen', async () => {
    await browserOf(conductor, OTHER_NODE, 'firefox-seen');
    const [stored] = await rowsOf<{ types: string }>(
      `SELECT json_group_array(e.value->>'type') AS types FROM event_batches, json_each(events) AS e
       WHERE e.value->>'subject_id' = 'firefox-seen'`,
    );
    expect(JSON.parse(stored?.types ?? '[]')).toEqual(['first_seen', 'connected']);
    const audited = await edge.data<{ items: AuditEntry[] }>('GET', '/v1/audit?subject_id=firefox-seen');
    expect(audited.items).toMatchObject([{ role: 'controller', action: expect.stringContaining('PUT ') }]);
  });
});
