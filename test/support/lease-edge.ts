import type { FakeEdge } from './fake-edge.ts';
import { leaseResponse, leaseView } from './fake-edge.ts';

/** Sets the responses to what an agent requests at its start: it registers, leads with term 1, and reads mode and lease. */
export function serveStartUp(edge: FakeEdge): FakeEdge {
  const lease = leaseView({ holder_id: 'node-a', term: 1, expires_in_ms: 30_000 });
  const system = {
    mode: 'running',
    version: 1,
    since: 0,
    requested_by: null,
    reason: null,
    holder_id: 'node-a',
    lease_expires_at: null,
    term: 1,
    drained: false,
  };
  return edge
    .on('POST', /^\/v1\/controllers\/heartbeat$/, ({ body }) => ({ data: body }))
    .on('POST', /^\/v1\/leader\/acquire$/, () => ({ data: leaseResponse({ operation: 'acquire' }) }))
    .on('POST', /^\/v1\/leader\/release$/, () => ({ data: { released: true, lease: leaseView({ term: 1 }) } }))
    .on('GET', /^\/v1\/leader$/, () => ({ data: lease }))
    .on('GET', /^\/v1\/system\/state$/, () => ({ data: system }))
    .on('GET', /^\/v1\/controllers\/node-a\/commands/, () => ({ data: { items: [], next_cursor: null } }))
    .on('GET', /^\/v1\/renewal\/conversations/, () => ({ data: { items: [], next_cursor: null } }));
}
