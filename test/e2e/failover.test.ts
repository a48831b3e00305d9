/**
 * Leadership between real processes on one edge. Times come from the edge's history of terms and from the test; all run
 * on one machine and so by one clock. The clusters run concurrently, as most of the time is spent waiting for a lease to
 * expire.
 */
import { describe, expect, it } from 'vitest';
import type { Cluster, TestNode } from '../support/cluster.ts';
import { until, withCluster } from '../support/cluster.ts';
import type { Cut } from '../support/cut-proxy.ts';

const TTL_SEC = 15;
const TTL_MS = TTL_SEC * 1_000;
const RENEW_MS = 1_000;
/** What a busy machine adds to a step between processes; far below the TTL, which passes when nothing is handed over. */
const SLACK_MS = 6_000;
/** A lease that is handed over moves at once. */
const HANDOVER_MS = SLACK_MS;
/** A lease that is not handed over moves when it has ended, at the next attempt of the other node. */
const TAKEOVER_MS = TTL_MS + RENEW_MS + SLACK_MS;
const flags = ['--lease-ttl-sec', String(TTL_SEC), '--lease-renew-interval-ms', String(RENEW_MS)];

/** `a` leads with term 1, `b` is a standby. */
async function pairOf(cluster: Cluster, more: readonly string[] = []): Promise<{ a: TestNode; b: TestNode }> {
  const a = await cluster.node('a', { flags: [...flags, ...more] });
  const b = await cluster.node('b', { flags: [...flags, ...more] });
  await a.start();
  expect(await cluster.term(1)).toMatchObject({ holder_id: 'a' });
  await b.start();
  await b.standsBy();
  return { a, b };
}

/** Polls an agent for whether it leads; stops with the time at which it last did. */
function watchLeadership(node: TestNode): () => Promise<number> {
  let lastLed = 0;
  let watching = true;
  const watch = async () => {
    while (watching) {
      const { lease } = await node.snapshot();
      if (lease.is_leader) lastLed = Date.now();
    }
  };
  const watched = watch();
  return async () => {
    watching = false;
    await watched;
    return lastLed;
  };
}

/** Disconnects the leader until the other node leads. Fails unless the leader had demoted itself before that. */
async function cutOff(cluster: Cluster, leader: TestNode, other: TestNode, how: Cut): Promise<void> {
  const { term } = await cluster.leader();
  const ledUntil = watchLeadership(leader);
  const cutAt = Date.now();
  leader.proxy.cut(how);
  const next = await cluster.term(term + 1);
  const lastLed = await ledUntil();
  const left = leader.log().find((line) => line.time > cutAt && line.state !== undefined && line.state !== 'leader');
  expect(next.holder_id).toBe(other.id);
  expect(next.acquired_at - cutAt).toBeLessThanOrEqual(TAKEOVER_MS);
  expect(lastLed, 'it still led when it was cut off').toBeGreaterThanOrEqual(cutAt);
  expect(lastLed, 'it no longer said that it leads').toBeLessThan(next.acquired_at);
  expect(left?.time, 'it noted its demotion before').toBeLessThan(next.acquired_at);
  leader.proxy.heal();
}

/** The same with a network that drops packets silently, and back again. */
async function cutOffAndReturn(cluster: Cluster, leader: TestNode, other: TestNode): Promise<void> {
  await cutOff(cluster, leader, other, 'silent');
  await leader.standsBy();
  expect(await cluster.leader(), 'its return costs no term').toMatchObject({ holder_id: other.id });
}

describe.concurrent('two agents on one edge', () => {
  it('the lease is handed over within a second of SIGTERM, within TTL and one interval of kill -9, and after a reset', () =>
    withCluster(async (cluster) => {
      const { a, b } = await pairOf(cluster);
      const termedAt = Date.now();
      const ended = a.end('SIGTERM');
      const second = await cluster.term(2);
      await ended;
      expect(second.holder_id).toBe('b');
      expect(second.acquired_at - termedAt).toBeLessThan(HANDOVER_MS);

      await a.start();
      await a.standsBy();
      const killedAt = Date.now();
      await b.end('SIGKILL');
      const { lease_expires_at } = await cluster.leader();
      const third = await cluster.term(3);
      expect(third.holder_id).toBe('a');
      expect(third.acquired_at - killedAt).toBeLessThanOrEqual(TAKEOVER_MS);
      expect(third.acquired_at, 'never before the lease has ended').toBeGreaterThanOrEqual(
        lease_expires_at ?? Infinity,
      );

      await b.start();
      await b.standsBy();
      await cutOff(cluster, a, b, 'hard');
    }));

  it('two agents never lead at once: a disconnected leader demotes itself before the other acquires', () =>
    withCluster(async (cluster) => {
      // Failed renewals alone would make it `degraded` later; this test is about its trust in the lease.
      const { a, b } = await pairOf(cluster, ['--renew-failure-threshold', '100']);
      await cutOffAndReturn(cluster, a, b);
      await cutOffAndReturn(cluster, b, a);
      await cutOff(cluster, a, b, 'silent');
      expect((await cluster.terms()).map(({ holder_id }) => holder_id)).toEqual(['a', 'b', 'a', 'b']);
    }));

  it('a preferred node takes over once and gives the lease back when it stops, without further terms', () =>
    withCluster(async (cluster) => {
      const a = await cluster.node('a', { flags });
      const preferred = await cluster.node('preferred', { preferred: true, flags });
      await a.start();
      await cluster.term(1);
      await preferred.start();
      const startedAt = Date.now();
      const second = await cluster.term(2);
      expect(second.holder_id).toBe('preferred');
      expect(second.acquired_at - startedAt, 'only after it has asked for two TTLs').toBeGreaterThan(TTL_MS);
      const left = a.log().findLast((line) => line.state === 'standby' && line.time <= second.acquired_at);
      expect(second.acquired_at - (left?.time ?? 0), 'at once when the holder yields').toBeLessThan(HANDOVER_MS);
      await a.standsBy();

      // After five more renewals it is still the same term.
      await until(async () => ((await cluster.leader()).renewed_at ?? 0) > second.acquired_at + 5 * RENEW_MS);
      const termedAt = Date.now();
      const ended = preferred.end('SIGTERM');
      const third = await cluster.term(3);
      await ended;
      expect(third.acquired_at - termedAt).toBeLessThan(HANDOVER_MS);
      expect((await cluster.terms()).map(({ holder_id }) => holder_id)).toEqual(['a', 'preferred', 'a']);
    }));
});
