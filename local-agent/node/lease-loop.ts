/**
 * Drives `node-state.ts`: keeps cautious time, sends what the pure part asks for, one request at a time, and wakes
 * when a lease that was not renewed can be trusted no longer. It holds the only opinion on whether this node leads.
 */

import type { LeaderAcquireResponse, LeaderReleaseResponse, LeaseView } from '../../schema/contracts/leader.ts';
import type { NodeState } from '../../schema/contracts/nodes.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { withinMs } from '../lib/timeout.ts';
import type { CautiousTime } from './cautious-clock.ts';
import { advanceCautiousTime } from './cautious-clock.ts';
import type { LeaseAction, LeaseRules, NodeEvent, NodeView } from './node-state.ts';
import { INITIAL_NODE_VIEW, leads, leaseAction, nextNodeView } from './node-state.ts';

/** How lease requests travel. Each rejects when no answer came. */
export interface LeaseTransport {
  acquire(): Promise<LeaderAcquireResponse>;
  renew(term: number): Promise<LeaderAcquireResponse>;
  release(term: number): Promise<LeaderReleaseResponse>;
  /** Whether nobody tells this node when to ask, because it has no channel. */
  alone(): boolean;
}

export interface LeaseLoopDeps {
  clock: Clock;
  rules: LeaseRules;
  transport: LeaseTransport;
  onFailure: (action: string, error: unknown) => void;
}

export class LeaseLoop {
  /** Emitted after the state or the term has changed. */
  readonly changed = new Emitter<{ state: NodeState; term: number }>();
  readonly #deps: LeaseLoopDeps;
  #view: NodeView = INITIAL_NODE_VIEW;
  #time: CautiousTime;
  #running = false;
  #inFlight: Promise<void> | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(deps: LeaseLoopDeps) {
    this.#deps = deps;
    this.#time = { elapsedMs: 0, last: this.#reading() };
  }

  /** The node's belief as of this moment. */
  view(): NodeView {
    this.#apply({ type: 'looked' });
    return this.#view;
  }

  get state(): NodeState {
    return this.view().state;
  }

  /** Whether this node may act as leader now. */
  isLeader(): boolean {
    return leads(this.view(), this.#time.elapsedMs);
  }

  /** How long it may still believe so, in milliseconds; null when it does not lead. */
  trustedForMs(): number | null {
    const { trustedUntil } = this.view();
    return trustedUntil === null ? null : Math.round(trustedUntil - this.#time.elapsedMs);
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Asks for the lease once, whatever the loop would do. Failures are counted, not thrown. */
  async acquireOnce(): Promise<NodeView> {
    await this.#ask('acquire');
    return this.view();
  }

  start(): void {
    this.#running = true;
    this.#schedule();
  }

  /** The edge has told who leads. */
  told(lease: LeaseView, candidate: boolean): void {
    this.#apply({ type: 'told', lease, candidate });
  }

  /** The way to the edge has changed: what is due may be another thing now. */
  reconsider(): void {
    this.#schedule();
  }

  /** Claims nothing from here on, and gives a lease it holds back, waiting at most `limitMs` for the edge. */
  async stop(limitMs: number): Promise<void> {
    this.#apply({ type: 'stopping' });
    this.#running = false;
    this.#cancelTimer();
    await withinMs(this.#deps.clock, this.#giveBack(), limitMs);
  }

  /** A request on its way comes first: granted after the release, it would hold the lease for nobody. */
  async #giveBack(): Promise<void> {
    await this.#inFlight;
    if (this.#view.trustedUntil !== null) await this.#release(this.#view.term);
  }

  #reading() {
    const { clock } = this.#deps;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic() };
  }

  #now(): number {
    this.#time = advanceCautiousTime(this.#time, this.#reading());
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
    if (!this.#running) return;
    const now = this.#now();
    const action = leaseAction(this.#view, this.#deps.rules, now, this.#deps.transport.alone());
    const due: LeaseAction = this.#inFlight === null ? action : { do: 'look', at: this.#view.trustedUntil ?? Infinity };
    if (due.do === 'nothing' || due.at === Infinity) return;
    this.#cancelTimer = this.#deps.clock.after(Math.max(0, due.at - now), () => this.#wake(due));
  }

  #wake(due: LeaseAction): void {
    this.#apply({ type: 'looked' });
    if (due.do === 'nothing') return;
    // Timers may fire early, and the view may have changed: only what is still due is done.
    if (this.#inFlight !== null || due.at > this.#now() || due.do === 'look') this.#schedule();
    else if (due.do === 'release') void this.#exclusively(() => this.#release(this.#view.term));
    else void this.#ask(due.do);
  }

  async #ask(how: 'acquire' | 'renew'): Promise<void> {
    await this.#exclusively(async () => {
      const sentAt = this.#now();
      this.#apply({ type: 'asked' });
      try {
        const { transport } = this.#deps;
        const answer = await (how === 'renew' ? transport.renew(this.#view.term) : transport.acquire());
        this.#apply({ type: 'answered', sentAt, answer });
      } catch (error) {
        this.#deps.onFailure(how, error);
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
    // While it is under way there is only the end of the trust to wait for.
    this.#schedule();
    return this.#inFlight;
  }
}
