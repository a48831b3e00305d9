/**
 * Both objects and D1 together, under random requests, one by one and at once, answers that are lost, lapses, evictions
 * and failures of D1 in between. A write in D1
 * that is guarded by the fence stands for every claim: it must fail for whoever was overtaken, however the object
 * forgot, restarted, or could not reach D1 when it changed.
 */
import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { automationState, leaderLease } from '../../../durable-objects/stubs.ts';
import type { SystemMode } from '../../../schema/contracts/system.ts';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { fenceRow, freshEdge, leaseStub, modeStub, muteLog } from './support.ts';

const TTL_SEC = 15;
/** Ahead of the real clock: an alarm that the objects set must not ring, again and again, in the middle of it. */
const START = Date.UTC(2100, 0, 1);
const NODES = ['a', 'b', 'p'] as const;

/** The guard of a claim: fails when the fence stands otherwise. */
async function claims(column: 'stale_term' | 'changed', violated: string, value: number): Promise<boolean> {
  const guard = env.DB.prepare(`INSERT INTO guard (${column}) SELECT NULL FROM fence WHERE id = 1 AND ${violated}`);
  return env.DB.batch([guard.bind(value)]).then(
    () => true,
    () => false,
  );
}

const node = fc.constantFrom(...NODES);
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('acquire' as const), node, lost: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('together' as const),
      nodes: fc.array(node, { minLength: 2, maxLength: 6 }),
      mode: fc.constantFrom(...SYSTEM_MODES),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('renew' as const), node, old: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), node, old: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('d1' as const), up: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mode' as const), mode: fc.constantFrom(...SYSTEM_MODES) }) },
);

// D1 fails often here, and each time the objects say so.
beforeEach(muteLog);
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

// Many runs in one test: what ends it is a failure, never a slow machine.
const LIMIT_MS = 120_000;

it('never has two leaders in a term, a claim by an overtaken one, or a claim under an old mode', {
  timeout: LIMIT_MS,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 40 }), async (events) => {
      await freshEdge();
      let now = START;
      let d1Up = true;
      vi.useFakeTimers({ toFake: ['Date'], now });
      const lease = leaderLease(env);
      const state = automationState(env);
      const holders = new Map<number, string>();
      const known: Record<string, number> = {};
      let latestTerm = 0;
      let latestVersion = 0;

      const heard = async (who: string, asked: ReturnType<typeof lease.acquire>): Promise<void> => {
        const result = await asked;
        if (result.status !== 'ok' || !result.answer.is_leader) return;
        const { term } = result.answer;
        expect(holders.get(term) ?? who).toBe(who);
        expect(term).toBeGreaterThanOrEqual(latestTerm);
        holders.set(term, who);
        known[who] = term;
        latestTerm = term;
        // Said only after D1 had it, so no older claim lands from here on.
        if (d1Up) expect(await fenceRow()).toMatchObject({ term, holder_id: who });
      };

      const acquire = (who: string) =>
        lease.acquire({ controller_id: who, host: 'h', ttl_sec: TTL_SEC, preferred: who === 'p' });
      const changeMode = async (mode: SystemMode): Promise<void> => {
        const result = await state.change({ mode, requested_by: null, reason: null });
        if (result.status === 'fence_lag') return;
        expect(result.record.version).toBeGreaterThanOrEqual(latestVersion);
        latestVersion = result.record.version;
        if (d1Up) expect(await fenceRow()).toMatchObject({ mode, mode_version: latestVersion });
      };

      for (const what of events) {
        switch (what.kind) {
          case 'acquire':
            // An answer that is lost on its way: the node has the lease and does not know.
            if (what.lost) await acquire(what.node);
            else await heard(what.node, acquire(what.node));
            break;
          case 'together': {
            const asked = what.nodes.map((who) => [who, acquire(who)] as const);
            const changed = changeMode(what.mode);
            for (const [who, answer] of asked) await heard(who, answer);
            await changed;
            break;
          }
          case 'renew': {
            const term = Math.max(0, (known[what.node] ?? 0) - Number(what.old));
            await heard(what.node, lease.renew(what.node, term, TTL_SEC));
            break;
          }
          case 'release': {
            const term = Math.max(0, (known[what.node] ?? 0) - Number(what.old));
            await lease.release({ controller_id: what.node, term });
            break;
          }
          case 'wait':
            now += what.ms;
            vi.setSystemTime(now);
            break;
          case 'evict':
            await lease.read();
            await state.read();
            await evictDurableObject(leaseStub());
            await evictDurableObject(modeStub());
            break;
          case 'd1':
            if (what.up === d1Up) break;
            await env.DB.exec(
              what.up ? 'ALTER TABLE fence_away RENAME TO fence' : 'ALTER TABLE fence RENAME TO fence_away',
            );
            d1Up = what.up;
            break;
          case 'mode':
            await changeMode(what.mode);
            break;
          default:
            what satisfies never;
        }
        if (!d1Up) continue;
        for (const who of NODES) {
          const term = known[who] ?? 0;
          if (term < latestTerm) expect(await claims('stale_term', 'term > ?', term)).toBe(false);
        }
        if (latestVersion > 0) expect(await claims('changed', 'mode_version <> ?', latestVersion - 1)).toBe(false);
      }
    }),
    { numRuns: 25 },
  );
});
