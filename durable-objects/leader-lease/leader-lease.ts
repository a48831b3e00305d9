/**
 * Who leads, and with what term. The rules are schema/domain/lease.ts; this object stores and announces.
 * A decision and its write are one turn, and the record is durable before any answer leaves. On a new term D1's fence is
 * raised before "you lead" is said; while D1 lags behind, every acquire and renewal raises it first and is answered
 * `fence_lag` if that fails. Other calls come in while D1 is asked (input gates hold for this object's storage only), so
 * an answer is made from the record as it stands afterwards. Expiry is judged when asked: there is no alarm.
 */
import { DurableObject } from 'cloudflare:workers';
import type {
  LeaderAcquireBody,
  LeaderAcquireResponse,
  LeaderReleaseBody,
  LeaderReleaseResponse,
  LeaseView,
} from '../../schema/contracts/leader.ts';
import {
  LeaderAcquireBodySchema,
  LeaderReleaseBodySchema,
  TermSchema,
  TtlSecSchema,
} from '../../schema/contracts/leader.ts';
import type { FenceComparison, FenceLag, LeaderLeaseApi, LeaseRenewal } from '../../schema/contracts/objects.ts';
import type { LeaseDecision, LeaseRequest } from '../../schema/domain/lease.ts';
import { decideLease, leaseResponse, leaseView } from '../../schema/domain/lease.ts';
import type { ObjectsEnv } from '../env.ts';
import { liftTerm, raiseTerm, readFence } from '../shared/fence.ts';
import { logProblem } from '../shared/log.ts';
import { allHubs, timedJobs } from '../stubs.ts';
import { LeaseStore } from './lease-store.ts';

type Claim = LeaseRequest & { kind: 'acquire' | 'renew' };
type Responses = { status: 'ok'; answers: LeaderAcquireResponse[] } | FenceLag;

const FENCE_LAG: FenceLag = { status: 'fence_lag' };

export class LeaderLease extends DurableObject<ObjectsEnv> implements LeaderLeaseApi {
  readonly #store: LeaseStore;
  #raising: Promise<boolean> | null = null;
  #announced: Promise<void> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: ObjectsEnv) {
    super(ctx, env);
    this.#store = new LeaseStore(ctx.storage);
  }

  async acquire(request: LeaderAcquireBody): Promise<{ status: 'ok'; answer: LeaderAcquireResponse } | FenceLag> {
    const { controller_id, host, ttl_sec, preferred, metadata } = LeaderAcquireBodySchema.parse(request);
    const ttl_ms = ttl_sec * 1_000;
    return onlyAnswer(
      await this.#answerAll([
        { kind: 'acquire', controller_id, host, preferred: preferred ?? false, ttl_ms, metadata },
      ]),
    );
  }

  async renew(
    nodeId: string,
    term: number,
    ttlSec: number,
  ): Promise<{ status: 'ok'; answer: LeaderAcquireResponse } | FenceLag> {
    return onlyAnswer(await this.renewAll([{ controller_id: nodeId, term, ttl_sec: ttlSec }]));
  }

  renewAll(renewals: LeaseRenewal[]): Promise<Responses> {
    return this.#answerAll(
      renewals.map(({ controller_id, term, ttl_sec }) => ({
        kind: 'renew',
        controller_id,
        term: TermSchema.parse(term),
        ttl_ms: TtlSecSchema.parse(ttl_sec) * 1_000,
      })),
    );
  }

  async release(request: LeaderReleaseBody): Promise<LeaderReleaseResponse> {
    const { controller_id, term } = LeaderReleaseBodySchema.parse(request);
    const now = Date.now();
    const decision = decideLease(this.#store.record, { kind: 'release', controller_id, term }, now);
    this.#store.save(decision.next);
    const released = decision.outcome === 'released';
    if (released) this.#announce();
    return { released, lease: leaseView(decision.next, now) };
  }

  async read(): Promise<LeaseView> {
    return leaseView(this.#store.record, Date.now());
  }

  async ensureFence(): Promise<boolean> {
    while (this.#store.unfenced) {
      this.#raising ??= this.#raise().finally(() => {
        this.#raising = null;
      });
      if (!(await this.#raising)) return false;
    }
    return true;
  }

  async compareFence(): Promise<FenceComparison | FenceLag> {
    // Taken before D1 is read: what is confirmed meanwhile makes no restore of an answer that is older.
    const confirmed = this.#store.fencedTerm;
    try {
      const d1 = await readFence(this.env.DB);
      return { status: 'compared', behind: d1.term < confirmed, d1, term: this.#store.record.term };
    } catch (error) {
      logProblem('lease.compare', error);
      return FENCE_LAG;
    }
  }

  async raiseRestoredFence(): Promise<boolean> {
    const found = await this.compareFence();
    if (found.status !== 'compared') return false;
    if (!found.behind) return this.ensureFence();
    const { fencedTerm } = this.#store;
    // The last granted term is raised as a new one is: with its holder and its line of history.
    this.#store.unmarkFenced(found.d1.term);
    if (!(await this.ensureFence())) return false;
    try {
      // A term whose holder this object no longer knows still counts.
      await liftTerm(this.env.DB, fencedTerm, Date.now());
      return true;
    } catch (error) {
      logProblem('lease.fence', error);
      return false;
    } finally {
      this.#store.markFenced(fencedTerm);
    }
  }

  /** Decides all requests in one turn, with one write, and answers when D1 stands where this object stands. */
  async #answerAll(claims: Claim[]): Promise<Responses> {
    if (!(await this.ensureFence())) return FENCE_LAG;
    const now = Date.now();
    const before = this.#store.record;
    let record = before;
    const decided = claims.map((claim): [Claim, LeaseDecision] => {
      const decision = decideLease(record, claim, now);
      record = decision.next;
      return [claim, decision];
    });
    this.#store.save(record);
    // The same holder started anew as another kind of node: who waits for a preferred one has to know.
    if (record.term === before.term && record.holder_preferred !== before.holder_preferred) this.#announce();
    if (!(await this.ensureFence())) return FENCE_LAG;
    const answeredAt = Date.now();
    const { record: statuses } = this.#store;
    // One view for all: on its way to the hub it is written once.
    const view = leaseView(statuses, answeredAt);
    const answers = decided.map(([claim, decision]) => leaseResponse(statuses, claim, decision, answeredAt, view));
    return { status: 'ok', answers };
  }

  /** Raises D1's fence to the last granted term. From then on that term counts, so from then on it is announced. */
  async #raise(): Promise<boolean> {
    const granted = this.#store.unfenced;
    if (!granted) return true;
    try {
      const outcome = await raiseTerm(this.env.DB, granted, Date.now());
      if (outcome.status === 'ahead') {
        this.#store.adopt(outcome.at);
        return false;
      }
      this.#store.markFenced(granted.term);
      this.#announce();
      return true;
    } catch (error) {
      logProblem('lease.fence', error);
      return false;
    }
  }

  /** Tells hubs and timed jobs, one announcement after the other, each with the lease as it then is. */
  #announce(): void {
    this.#announced = this.#announced.then(() => this.#tellAll()).catch((error) => logProblem('lease.announce', error));
    this.ctx.waitUntil(this.#announced);
  }

  async #tellAll(): Promise<void> {
    const now = Date.now();
    const lease = leaseView(this.#store.record, now);
    const calls = allHubs(this.env).map((hub) => hub.announceLease(lease));
    if (lease.holder_id !== null) calls.push(timedJobs(this.env).due(now));
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === 'rejected') logProblem('lease.announce', result.reason);
    }
  }
}

function onlyAnswer(result: Responses): { status: 'ok'; answer: LeaderAcquireResponse } | FenceLag {
  if (result.status !== 'ok') return result;
  const [answer] = result.answers;
  if (!answer) throw new Error('one request has one answer');
  return { status: 'ok', answer };
}
