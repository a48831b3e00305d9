/**
 * Drives node-state.ts: keeps cautious time, sends the requests that it decides on, one at a time, and wakes when the
 * trust in a lease that was not renewed ends. Whether this node leads is decided here and nowhere else.
 */

import type { LeaderAcquireResponse, LeaderReleaseResponse, LeaseView } from '../../schema/contracts/leader.ts';
import type { NodeState } from '../../schema/contracts/nodes.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { withinMs } from '../lib/timeout.ts';
import type { CautiousTime, ClockReading } from './cautious-clock.ts';
import { advanceCautiousTime } from './cautious-clock.ts';
import type { LeaseAction, LeaseRules, NodeEvent, NodeView } from './node-state.ts';
import { INITIAL_NODE_VIEW, leads, leaseAction, nextNodeView } from './node-state.ts';

/** Sends lease requests. Each rejects when no response came. */
export interface LeaseTransport {
  acquire(): Promise<LeaderAcquireResponse>;
  renew(term: number): Promise<LeaderAcquireResponse>;
  release(term: number): Promise<LeaderReleaseResponse>;
  /** Whether this node gets notices of the lease, because its channel is up. */
  hasNotices(): boolean;
}

export interface LeaseLoopDeps {
  clock: Clock;
  rules: LeaseRules;
  transport: LeaseTransport;
  onFailure: (request: 'acquire' | 'renew' | 'release', error: unknown) => void;
}

export class LeaseLoop {
  /** Emitted after the state or the term has changed. */
  readonly changed = new Emitter<{ state: NodeState; term: number }>();
  readonly #deps: LeaseLoopDeps;
  #view: NodeView = INITIAL_NODE_VIEW;
  #time: CautiousTime;
  #isRunning = false;
  #inFlight: Promise<void> | null = null;
  #lastError: unknown = null;
  #cancelTimer: () => void = () => undefined;

  constructor(deps: LeaseLoopDeps) {
    this.#deps = deps;
    this.#time = { elapsedMs: 0, last: this.#readClocks() };
  }

  /** What the node believes now. */
  view(): NodeView {
    this.#apply({ type: 'time_passed' });
    return this.#view;
  }

  get state(): NodeState {
    return this.view().state;
  }

  /** Whether this node may act as leader now. */
  isLeader(): boolean {
    return leads(this.view(), this.#time.elapsedMs);
  }

  /** How long this node may still act as leader without a renewal, in milliseconds; null when it does not lead. */
  trustedForMs(): number | null {
    const { trustedUntil } = this.view();
    return trustedUntil === null ? null : Math.round(trustedUntil - this.#time.elapsedMs);
  }

  /** Why the last request that failed did. */
  get lastError(): unknown {
    return this.#lastError;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Requests the lease once, unless this node is drained. A failure is counted and not thrown. */
  async acquireOnce(): Promise<NodeView> {
    if (!this.view().draining) await this.#request('acquire');
    return this.view();
  }

  /** A person drains this node, which releases the lease at once and requests none, or ends that. */
  setDraining(draining: boolean): void {
    this.#apply({ type: 'draining', draining });
  }

  start(): void {
    this.#isRunning = true;
    this.#schedule();
  }

  /** The edge has reported who leads. */
  notice(lease: LeaseView, candidate: boolean): void {
    this.#apply({ type: 'notice', lease, candidate });
  }

  /** The channel has gone up or down, which changes what is due. */
  channelChanged(): void {
    this.#schedule();
  }

  /** Requests no lease from now on, and releases the one it holds, within `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#apply({ type: 'stopping' });
    this.#isRunning = false;
    this.#cancelTimer();
    await withinMs(this.#deps.clock, this.#releaseHeld(), limitMs);
  }

  /** Waits for the request in flight first: a lease granted after the release would stay unused until it expires. */
  async #releaseHeld(): Promise<void> {
    await this.#inFlight;
    if (this.#view.trustedUntil !== null) await this.#release(this.#view.term);
  }

  #readClocks(): ClockReading {
    const { clock } = this.#deps;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  }

  #now(): number {
    this.#time = advanceCautiousTime(this.#time, this.#readClocks());
    return this.#time.elapsedMs;
  }

  #apply(event: NodeEvent): void {
    const before = this.#view;
    this.#view = nextNodeView(before, event, this.#deps.rules, this.#now());
    if (this.#view === before) return;
    this.#schedule();
    const { state, term } = this.#view;
    if (state !== before.state || term !== before.term) this.changed.emit({ state, term });
  }

  #schedule(): void {
    this.#cancelTimer();
    if (!this.#isRunning) return;
    const { rules, transport, clock } = this.#deps;
    const now = this.#now();
    // While a request is in flight, the only thing to wait for is the end of the trust.
    const due: LeaseAction =
      this.#inFlight === null
        ? leaseAction(this.#view, rules, now, transport.hasNotices())
        : { do: 'check', at: this.#view.trustedUntil ?? Infinity };
    if (due.do === 'nothing' || due.at === Infinity) return;
    this.#cancelTimer = clock.after(Math.max(0, due.at - now), () => this.#wake(due));
  }

  #wake(due: LeaseAction): void {
    this.#apply({ type: 'time_passed' });
    if (due.do === 'nothing') return;
    // Timers can fire early, and the view may have changed: only what is still due is done.
    if (this.#inFlight !== null || due.at > this.#now() || due.do === 'check') this.#schedule();
    else if (due.do === 'release') void this.#exclusively(() => this.#release(this.#view.term));
    else void this.#request(due.do);
  }

  async #request(request: 'acquire' | 'renew'): Promise<void> {
    await this.#exclusively(async () => {
      const sentAt = this.#now();
      this.#apply({ type: 'requested' });
      try {
        const { transport } = this.#deps;
        const response = await (request === 'renew' ? transport.renew(this.#view.term) : transport.acquire());
        this.#apply({ type: 'response', sentAt, response });
      } catch (error) {
        this.#lastError = error;
        this.#deps.onFailure(request, error);
        this.#apply({ type: 'failed' });
      }
    });
  }

  async #release(term: number): Promise<void> {
    try {
      const { lease } = await this.#deps.transport.release(term);
      this.#apply({ type: 'released', lease });
    } catch (error) {
      this.#deps.onFailure('release', error);
      this.#apply({ type: 'released', lease: null });
    }
  }

  async #exclusively(run: () => Promise<void>): Promise<void> {
    if (this.#inFlight !== null) return await this.#inFlight;
    this.#inFlight = run().finally(() => {
      this.#inFlight = null;
      this.#schedule();
    });
    this.#schedule();
    return this.#inFlight;
  }
}
