/**
 * Who leads, and with what term. The rules are in schema/domain/lease.ts; this object stores and announces.
 *
 * A decision and its write are one turn, and the record is durable before a response leaves. D1's fence is raised to a new
 * term before the node gets the response that it leads. While D1 lags behind, every acquire and renewal first raises the fence, and
 * gets `fence_lag` if that fails. Other calls interleave while D1 is asked (input gates cover only this object's storage),
 * so a response is made from the record after that. Expiry is checked on each request: there is no alarm.
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
import { decideLease, leaseResponse, viewLease } from '../../schema/domain/lease.ts';
import type { ObjectsEnv } from '../env.ts';
import { liftTerm, raiseTerm, readFence } from '../shared/fence.ts';
import { logProblem } from '../shared/log.ts';
import { allHubs, timedJobs } from '../stubs.ts';
import { LeaseStore } from './lease-store.ts';

type Claim = LeaseRequest & { kind: 'acquire' | 'renew' };
type Responses = { status: 'ok'; responses: LeaderAcquireResponse[] } | FenceLag;
type SingleResponse = { status: 'ok'; response: LeaderAcquireResponse } | FenceLag;

const FENCE_LAG: FenceLag = { status: 'fence_lag' };

export class LeaderLease extends DurableObject<ObjectsEnv> implements LeaderLeaseApi {
  readonly #store: LeaseStore;
  #raising: Promise<boolean> | null = null;
  #announced: Promise<void> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: ObjectsEnv) {
    super(ctx, env);
    this.#store = new LeaseStore(ctx.storage);
  }

  async acquire(request: LeaderAcquireBody): Promise<SingleResponse> {
    const { controller_id, host, ttl_sec, preferred = false, metadata } = LeaderAcquireBodySchema.parse(request);
    const claim: Claim = { kind: 'acquire', controller_id, host, preferred, ttl_ms: ttl_sec * 1_000, metadata };
    return singleResponse(await this.#claimAll([claim]));
  }

  async renew(nodeId: string, term: number, ttlSec: number): Promise<SingleResponse> {
    return singleResponse(await this.renewAll([{ controller_id: nodeId, term, ttl_sec: ttlSec }]));
  }

  renewAll(renewals: LeaseRenewal[]): Promise<Responses> {
    return this.#claimAll(
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
    return { released, lease: viewLease(decision.next, now) };
  }

  async read(): Promise<LeaseView> {
    return viewLease(this.#store.record, Date.now());
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
    // Read before D1: a term that D1 confirms meanwhile must not make the older reading look like a restore.
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
    const comparison = await this.compareFence();
    if (comparison.status !== 'compared') return false;
    if (!comparison.behind) return this.ensureFence();
    const { fencedTerm } = this.#store;
    // The last granted term is raised as a new one is: with its holder and its line of history.
    this.#store.unmarkFenced(comparison.d1.term);
    if (!(await this.ensureFence())) return false;
    try {
      // A confirmed term whose holder this object no longer knows still counts.
      await liftTerm(this.env.DB, fencedTerm, Date.now());
      return true;
    } catch (error) {
      logProblem('lease.fence', error);
      return false;
    } finally {
      this.#store.markFenced(fencedTerm);
    }
  }

  /** Decides all claims in one turn with one write, and responds once D1 has confirmed the last granted term. */
  async #claimAll(claims: Claim[]): Promise<Responses> {
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
    // The holder restarted with another `preferred` flag: announce it, so that standbys decide again whether to ask.
    if (record.term === before.term && record.holder_preferred !== before.holder_preferred) this.#announce();
    if (!(await this.ensureFence())) return FENCE_LAG;
    const respondedAt = Date.now();
    const { record: current } = this.#store;
    // One view for all responses: it is serialized once on its way to the hub.
    const view = viewLease(current, respondedAt);
    const responses = decided.map(([claim, decision]) => leaseResponse(current, claim, decision, respondedAt, view));
    return { status: 'ok', responses };
  }

  /** Raises D1's fence to the last granted term, and then announces that term. */
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

  /** Notifies hubs and timed jobs: one announcement after the other, each with the lease at that time. */
  #announce(): void {
    this.#announced = this.#announced
      .then(() => this.#notifyAll())
      .catch((error) => logProblem('lease.announce', error));
    this.ctx.waitUntil(this.#announced);
  }

  async #notifyAll(): Promise<void> {
    const now = Date.now();
    const lease = viewLease(this.#store.record, now);
    const calls = allHubs(this.env).map((hub) => hub.announceLease(lease));
    if (lease.holder_id !== null) calls.push(timedJobs(this.env).due(now));
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === 'rejected') logProblem('lease.announce', result.reason);
    }
  }
}

function singleResponse(result: Responses): SingleResponse {
  if (result.status !== 'ok') return result;
  const [response] = result.responses;
  if (!response) throw new Error('one request has one response');
  return { status: 'ok', response };
}
