import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../../schema/contracts/commands.ts';
import type { RenewalJob } from '../../../schema/contracts/renewal.ts';
import { Coverage } from '../../support/coverage.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

/**
 * A node that loses, repeats and delays its responses, and a person who changes their mind: in every order of ticks,
 * responses, pauses and vanished links, every job ends with a reason, and none is sent while an earlier attempt may have
 * been delivered.
 */
const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const OUTCOMES = ['delivered', 'failed', 'deferred', 'uncertain', 'unknown', 'in_flight'] as const;
type Response = (typeof OUTCOMES)[number];
/** Outcomes after which nothing was delivered, so that the renewal may be sent again. */
const NOT_DELIVERED: readonly string[] = ['failed', 'deferred', 'unknown'];

type Step =
  | { type: 'tick'; wait_ms: number }
  /** A response to the command so many before the newest one. */
  | { type: 'response'; outcome: Response; back: number }
  /** A settled message, sent in the next tick when nothing holds it back. */
  | { type: 'renew' }
  | { type: 'automation'; change: 'auto' | 'manual' | 'paused' | 'resume' }
  | { type: 'pause' | 'resume' | 'unlink' | 'link' | 'message' | 'cancel' };

const weighted: { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('tick'), wait_ms: fc.constantFrom(0, 10_000, 31_000, 61_000, 300_000) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('response'),
      outcome: fc.constantFrom(...OUTCOMES),
      back: fc.constantFrom(0, 0, 0, 1, 2, 5),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ type: 'renew' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('pause', 'resume', 'resume', 'unlink', 'link', 'link', 'message', 'cancel'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('automation'),
      change: fc.constantFrom('auto', 'auto', 'manual', 'paused', 'resume'),
    }),
  },
];
const history = fc.array(fc.oneof(...weighted), { minLength: 25, maxLength: 35, size: 'max' });

/** Histories that a random one reaches too seldom. */
const EXAMPLES: Step[][] = [
  [
    { type: 'renew' },
    { type: 'tick', wait_ms: 300_000 },
    { type: 'tick', wait_ms: 300_000 },
    { type: 'response', outcome: 'delivered', back: 0 },
  ],
  [
    { type: 'renew' },
    { type: 'tick', wait_ms: 31_000 },
    { type: 'response', outcome: 'failed', back: 0 },
    { type: 'tick', wait_ms: 61_000 },
    { type: 'response', outcome: 'delivered', back: 2 },
  ],
];

const REACHED = [
  ...OUTCOMES.map((outcome) => `${outcome} while the job runs` as const),
  'delivered after the job was given up',
  'a repeated response',
  'a response to an earlier attempt',
  'sent again',
  'job_attempt_started',
  'job_completed',
  'job_retry_scheduled',
  'job_deferred',
  'job_failed',
  'job_canceled',
  'automation_paused',
  'missing_active_link',
  'delivery_overdue',
] as const;
const reached = new Coverage<(typeof REACHED)[number]>();
const isReached = (word: string): word is (typeof REACHED)[number] => (REACHED as readonly string[]).includes(word);

interface CommandRow extends Pick<Command, 'command_id' | 'kind' | 'body'> {
  job_id: string;
  plan_id: string;
  outcome: string | null;
  created_at: number;
  finished_at: number | null;
}

/** One conversation with everything that becomes of it. */
class World {
  readonly #id: string;
  readonly #remoteId: string;

  constructor({ local_conversation_id, remote_conversation_id }: Awaited<ReturnType<Renewals['settled']>>) {
    this.#id = local_conversation_id;
    this.#remoteId = remote_conversation_id;
  }

  jobs(): Promise<RenewalJob[]> {
    return rowsOf<RenewalJob>('SELECT * FROM renewal_jobs WHERE local_conversation_id = ? ORDER BY job_id', this.#id);
  }

  /** Every command about these jobs, in order. */
  async commands(): Promise<CommandRow[]> {
    const rows = await rowsOf<CommandRow & { body: string }>(
      `SELECT c.command_id, c.kind, c.body, c.created_at, c.finished_at, j.job_id,
         c.body->>'plan_id' AS plan_id, c.result->>'outcome' AS outcome
       FROM commands AS c JOIN renewal_jobs AS j ON j.job_id = c.body->>'job_id'
       WHERE j.local_conversation_id = ? ORDER BY c.rowid`,
      this.#id,
    );
    return rows.map((row) => ({ ...row, body: JSON.parse(row.body) }));
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'tick':
        edge.now += step.wait_ms;
        return void (await renewals.tick());
      case 'response':
        return this.#respond(step.outcome, step.back);
      case 'renew':
        await renewals.answered(this.#remoteId);
        return void (await renewals.tick());
      case 'automation':
        return renewals.automation(this.#id, step.change);
      case 'message':
        return void (await renewals.bring(renewals.message({ remote_conversation_id: this.#remoteId })));
      case 'unlink':
        return void (await rowsOf('DELETE FROM conversation_links WHERE local_conversation_id = ?', this.#id));
      case 'link':
        edge.now += 1;
        return renewals.browser({ client: 'faults', conversation: this.#remoteId });
      case 'cancel': {
        const pending = (await this.jobs()).find((job) => job.status === 'pending');
        if (pending) await edge.data('POST', `/v1/renewal/jobs/${pending.job_id}/cancel`, { body: {} });
        return;
      }
      default:
        return renewals.mode(step.type);
    }
  }

  async #respond(outcome: Response, back: number): Promise<void> {
    const command = (await this.commands()).at(-1 - back);
    if (command === undefined) return;
    const asks = command.kind === 'delivery.query';
    if (!asks && (outcome === 'unknown' || outcome === 'in_flight')) return;
    const job = (await this.jobs()).find((one) => one.job_id === command.job_id);
    if (job === undefined) throw new Error(`${command.command_id} is about no job`);
    if (command.outcome !== null) reached.reach('a repeated response');
    else if (command.plan_id !== job.plan_id) reached.reach('a response to an earlier attempt');
    else if (job.status === 'running') reached.reach(`${outcome} while the job runs`);
    else if (job.status === 'failed' && outcome === 'delivered') reached.reach('delivered after the job was given up');
    await renewals.respond(command, outcome, outcome === 'deferred' ? { retry_after_ms: 5_000 } : {});
    const after = (await this.jobs()).find((one) => one.job_id === command.job_id);
    if (command.outcome === null && command.plan_id === job.plan_id && job.status === 'running') {
      if (outcome === 'delivered') expect(after?.status).toBe('done');
      if (outcome === 'uncertain' || outcome === 'in_flight') expect(after?.plan_id).toBe(job.plan_id);
    } else if (outcome !== 'delivered') {
      expect(after).toEqual(job);
    }
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

  /** A job is sent again only after a response has said that the attempt before was not delivered. */
  async checkSent(): Promise<void> {
    const commands = await this.commands();
    const sent = commands.filter((one) => one.kind === 'delivery');
    for (const [n, one] of sent.entries()) {
      const before = sent.slice(0, n).findLast((other) => other.job_id === one.job_id);
      if (before === undefined) continue;
      reached.reach('sent again');
      const reports = commands.filter(
        ({ plan_id, outcome, finished_at }) =>
          plan_id === before.plan_id &&
          outcome !== null &&
          NOT_DELIVERED.includes(outcome) &&
          (finished_at ?? Number.POSITIVE_INFINITY) <= one.created_at,
      );
      expect(reports.length, `${one.plan_id} was sent after ${before.plan_id}`).toBeGreaterThan(0);
    }
  }

  /** The stages and reasons of the tick log about these jobs. */
  async noteStages(): Promise<void> {
    const entries = await rowsOf<{ stage: string; result: string }>(
      `SELECT e.value->>'stage' AS stage, e.value->>'result' AS result FROM ticks, json_each(ticks.entries) AS e
       WHERE e.value->>'local_conversation_id' = ?`,
      this.#id,
    );
    for (const word of entries.flatMap(({ stage, result }) => [stage, result])) {
      if (isReached(word)) reached.reach(word);
    }
  }
}

describe('renewals with a node and a person that behave as badly as they may', () => {
  it('every job ends with a reason, none runs without a deadline, and none is sent while it may have been delivered', {
    timeout: 900_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        await renewals.lead();
        const world = new World(await renewals.settled('auto', { client_id: 'faults' }));
        for (const step of steps) {
          await world.take(step);
          await world.check();
        }
        await renewals.mode('resume');
        await world.take({ type: 'automation', change: 'manual' });
        await world.take({ type: 'automation', change: 'auto' });
        for (let turn = 0; turn < 60; turn += 1) {
          const open = (await world.jobs()).filter((job) => job.finished_at === null);
          if (open.length === 0 && turn > 1) break;
          // No response arrives: a running job is given up after ten minutes.
          const times = open.map((job) => job.next_attempt_at ?? (job.last_attempt_at ?? 0) + 600_000);
          edge.now = Math.max(edge.now + 10_000, ...times);
          await renewals.lead();
          await renewals.tick();
          await world.check();
        }
        const jobs = await world.jobs();
        expect(jobs.filter((job) => !['done', 'failed', 'canceled'].includes(job.status))).toEqual([]);
        await world.checkSent();
        await world.noteStages();
      }),
      // A fixed seed, so that each run reaches every state of REACHED; another seed explores other histories.
      { seed: 20_261_125, numRuns: 10, endOnFailure: true, examples: EXAMPLES.map((steps) => [steps]) },
    );
    reached.expectEach(REACHED, 1);
  });
});
