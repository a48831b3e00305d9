/**
 * Asks the edge for work: when a step is offered, when a run has ended, when this node begins to lead, and from time to time:
 * rarely while the channel that brings offers is open and the edge has said that no task is open, else often.
 * One claim is under way at a time, under a key that is stored first, so that a claim whose response was lost gives the same
 * run again.
 */
import type { ClaimBody, ClaimResponse } from '../../schema/contracts/runs.ts';
import { ClaimResponseSchema } from '../../schema/contracts/runs.ts';
import { NODE_RUNS } from '../../schema/defaults.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { Clocks } from '../runner/limits.ts';
import { later, readClocks } from '../runner/limits.ts';
import type { RunsHost } from './host.ts';

export interface ClaimsDeps {
  host: RunsHost;
  /** What this node has: repositories and executors. */
  offers: () => Pick<ClaimBody, 'repos' | 'executors'>;
  /** The term of the lease while this node leads; null otherwise. */
  term: () => number | null;
  /** Whether the node may claim at all now. */
  mayClaim: () => boolean;
  /** How many runs this node may take on now. */
  room: () => number;
  /** Whether the channel to the edge is open, by which offers come. */
  isOffered: () => boolean;
  newKey: () => string;
  /** The edge has responded. `isDraining`: it gives nothing, because a person drains this node. */
  onResponse: (isDraining: boolean) => void;
  /** Called after the run is stored. */
  onRun: (runId: string) => void;
}

export class Claims {
  readonly #deps: ClaimsDeps;
  #isAsking = false;
  /** Work may have appeared since the claim that is under way was sent. */
  #isWoken = false;
  #isRunning = false;
  /** When the edge has last said that no task is queued or running, and nothing has happened since; null otherwise. */
  #idleSince: number | null = null;
  #cancel: () => void = () => undefined;

  constructor(deps: ClaimsDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#isRunning = true;
    this.wake();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel();
  }

  /** Asks now, or after the claim that is under way. */
  wake(): void {
    this.#isWoken = true;
    if (this.#isRunning && !this.#isAsking) void this.#askAll();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    this.#cancel();
    try {
      while (this.#isRunning && this.#isWoken) await this.#askWhileThereIsWork();
    } finally {
      this.#isAsking = false;
      if (this.#isRunning) {
        this.#wakeLater();
      }
    }
  }

  /** Looks as often as ever, so that a channel that has closed meanwhile is noticed; a look that may wait sends nothing. */
  #wakeLater(): void {
    this.#cancel = this.#deps.host.clock.after(NODE_RUNS.claim_interval_ms, () => {
      if (this.#mayWait()) this.#wakeLater();
      else this.wake();
    });
  }

  #mayWait(): boolean {
    const { host, isOffered } = this.#deps;
    const idleForMs = this.#idleSince === null ? Infinity : host.clock.monotonic() - this.#idleSince;
    return isOffered() && idleForMs < NODE_RUNS.idle_claim_interval_ms;
  }

  async #askWhileThereIsWork(): Promise<void> {
    this.#isWoken = false;
    this.#idleSince = null;
    while (this.#isRunning && this.#deps.room() > 0 && this.#deps.mayClaim()) {
      if (!(await this.#ask())) return;
    }
  }

  /** True when it gave a run. Never throws: a full disk has room for no claim either. */
  async #ask(): Promise<boolean> {
    const { host } = this.#deps;
    try {
      const body = this.#body();
      const askedAt = readClocks();
      const path = '/v1/tasks/claim';
      const response = await host.edge.call({ method: 'POST', path, body, schema: ClaimResponseSchema });
      return this.#take(response, askedAt);
    } catch (error) {
      // The key stays: the next claim asks under it, and gets the run that this one may have got.
      if (error instanceof EdgeError && !error.retryable) this.#forgetKey();
      host.log.warn({ error }, 'no step could be claimed; it is tried again');
      return false;
    }
  }

  #body(): ClaimBody {
    const { host, offers, term, newKey } = this.#deps;
    const claim_key = host.runs.claimKey(newKey);
    const leads = term();
    return { controller_id: host.nodeId, claim_key, ...(leads === null ? {} : { term: leads }), ...offers() };
  }

  #forgetKey(): void {
    try {
      this.#deps.host.runs.forgetClaimKey();
    } catch (error) {
      this.#deps.host.log.warn({ error }, 'the key of a refused claim could not be removed; the next claim uses it');
    }
  }

  #take(response: ClaimResponse, askedAt: Clocks): boolean {
    const { host, onRun, onResponse } = this.#deps;
    onResponse('reason' in response && response.reason === 'node_draining');
    if (!('run_id' in response)) {
      host.runs.forgetClaimKey();
      this.#idleSince = response.idle ? host.clock.monotonic() : null;
      return false;
    }
    host.store.transaction(() => {
      host.runs.add(response, later(askedAt, response.deadline_in_ms));
      host.runs.forgetClaimKey();
    });
    onRun(response.run_id);
    return true;
  }
}
