import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../../schema/contracts/commands.ts';
import type { RenewalJob } from '../../../schema/contracts/renewal.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

/**
 * A node that behaves as badly as it may, and a person who changes their mind: whatever the order of ticks, answers
 * (lost, repeated, late), pauses and vanished links, every job ends visibly and no plan is sent twice.
 */
const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const OUTCOMES = ['delivered', 'failed', 'deferred', 'uncertain', 'unknown', 'in_flight'] as const;
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('tick'), wait_ms: fc.constantFrom(0, 10_000, 31_000, 61_000) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('answer'), outcome: fc.constantFrom(...OUTCOMES), at: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('pause', 'resume', 'unlink', 'link', 'message') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('automation'),
      change: fc.constantFrom('auto', 'manual', 'paused', 'resume'),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Subject {
  local_conversation_id: string;
  remote_conversation_id: string;
}

class World {
  readonly #conversation: Subject;
  constructor(conversation: Subject) {
    this.#conversation = conversation;
  }

  jobs(): Promise<RenewalJob[]> {
    return rowsOf<RenewalJob>(
      'SELECT * FROM renewal_jobs WHERE local_conversation_id = ?',
      this.#conversation.local_conversation_id,
    );
  }

  /** Everything that its node has ever been asked about these jobs, in order. */
  async commands(): Promise<Pick<Command, 'command_id' | 'kind' | 'body'>[]> {
    const rows = await rowsOf<{ command_id: string; kind: Command['kind']; body: string }>(
      `SELECT c.command_id, c.kind, c.body FROM commands AS c JOIN renewal_jobs AS j ON j.job_id = c.body->>'job_id'
       WHERE j.local_conversation_id = ? ORDER BY c.command_id`,
      this.#conversation.local_conversation_id,
    );
    return rows.map((row) => ({ ...row, body: JSON.parse(row.body) }));
  }

  async take(one: Step): Promise<void> {
    const { local_conversation_id, remote_conversation_id } = this.#conversation;
    if ('wait_ms' in one) {
      edge.now += one.wait_ms;
      await renewals.tick();
    } else if ('outcome' in one) {
      await this.#response(one.outcome, one.at);
    } else if ('change' in one) {
      await renewals.automation(local_conversation_id, one.change as 'auto');
    } else if (one.type === 'message') {
      await renewals.bring(renewals.message({ remote_conversation_id }));
    } else if (one.type === 'unlink') {
      await rowsOf('DELETE FROM conversation_links WHERE local_conversation_id = ?', local_conversation_id);
    } else if (one.type === 'link') {
      edge.now += 1;
      await renewals.browser({ client: 'faults', conversation: remote_conversation_id });
    } else {
      await renewals.mode(one.type as 'pause');
    }
  }

  /** An answer to one of the last commands; the same may be answered twice, and long after. */
  async #response(outcome: (typeof OUTCOMES)[number], back: number): Promise<void> {
    const command = (await this.commands()).at(-1 - back);
    if (command === undefined) return;
    const asks = command.kind === 'delivery.query';
    if (!asks && (outcome === 'unknown' || outcome === 'in_flight')) return;
    await renewals.response(command as Command, outcome, outcome === 'deferred' ? { retry_after_ms: 5_000 } : {});
  }

  async check(): Promise<void> {
    for (const job of await this.jobs()) {
      expect(job.deadline_at !== null, `${job.status} with deadline ${job.deadline_at}`).toBe(job.status === 'running');
      expect(job.next_attempt_at !== null).toBe(job.status === 'pending');
      expect(job.finished_at !== null).toBe(!['pending', 'running'].includes(job.status));
      expect(job.attempt_count).toBeLessThanOrEqual(job.max_attempts);
      if (job.status === 'failed' || job.status === 'canceled') expect(job.last_error).not.toBeNull();
    }
  }

  /** A plan is asked for once more only when its node had given it back unsent. */
  async checkPlans(): Promise<void> {
    const sent = await rowsOf<{ plan: string; outcome: string | null }>(
      `SELECT c.body->>'plan_id' AS plan, c.result->>'outcome' AS outcome FROM commands AS c
       JOIN renewal_jobs AS j ON j.job_id = c.body->>'job_id'
       WHERE c.kind = 'delivery' AND j.local_conversation_id = ? ORDER BY c.command_id`,
      this.#conversation.local_conversation_id,
    );
    for (const [n, { plan }] of sent.entries()) {
      const before = sent.slice(0, n).filter((one) => one.plan === plan);
      const askedBack = await rowsOf(
        `SELECT 1 FROM commands WHERE kind = 'delivery.query' AND body->>'plan_id' = ? AND result->>'outcome' = 'deferred'`,
        plan,
      );
      const unsent = before.filter((one) => one.outcome === 'deferred').length + askedBack.length;
      expect(before.length).toBeLessThanOrEqual(unsent);
    }
  }
}

describe('whatever happens to renewals', () => {
  it('none is lost, none runs without a deadline, none is sent twice, and each ends', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
        const world = new World(await renewals.settled('auto', { client_id: 'faults' }));
        await renewals.lead();
        for (const one of steps) {
          await world.take(one);
          await world.check();
        }
        await renewals.mode('resume');
        await world.take({ type: 'automation', change: 'manual' } as Step);
        await world.take({ type: 'automation', change: 'auto' } as Step);
        for (let turn = 0; turn < 60; turn += 1) {
          const times = (await world.jobs()).flatMap((job) => job.next_attempt_at ?? job.deadline_at ?? []);
          if (times.length === 0 && turn > 1) break;
          edge.now = Math.max(edge.now + 10_000, ...times);
          await renewals.lead();
          await renewals.tick();
          await world.check();
        }
        const jobs = await world.jobs();
        expect(jobs.filter((job) => !['done', 'failed', 'canceled'].includes(job.status))).toEqual([]);
        await world.checkPlans();
      }),
      { numRuns: 6 },
    );
  });
});
