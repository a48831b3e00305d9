/**
 * Keeps the claims of the runs on this node: a heartbeat for each, every 15 s, until the edge has the end of the run. What
 * the edge says in return moves the run's deadline, or ends the run.
 */
import { RunHeartbeatResponseSchema } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { EdgeError } from '../edge/http-client.ts';
import { readClocks } from '../runner/limits.ts';
import type { RunsHost } from './host.ts';
import type { LiveRun } from './live-run.ts';

/** The edge says that the run is not this node's any more. */
const STALE_CODES: readonly ErrorCode[] = ['stale_run', 'run_not_found', 'step_not_found', 'already_finished'];

export function isStale(code: string): boolean {
  return STALE_CODES.some((stale) => stale === code);
}

export class Heartbeats {
  readonly #host: RunsHost;
  readonly #cancels = new Map<string, () => void>();
  readonly #onStale: (run: LiveRun) => void;

  constructor(host: RunsHost, onStale: (run: LiveRun) => void) {
    this.#host = host;
    this.#onStale = onStale;
  }

  /** Of a run that was claimed just now the first one can wait. Of any other it is sent, and resolves with its response. */
  async keep(run: LiveRun, stepId: string, { isNew }: { isNew: boolean }): Promise<void> {
    if (this.#cancels.has(run.runId)) return;
    this.#cancels.set(run.runId, () => undefined);
    if (isNew) this.#schedule(run, stepId);
    else await this.#keepOn(run, stepId);
  }

  release(runId: string): void {
    this.#cancels.get(runId)?.();
    this.#cancels.delete(runId);
  }

  stop(): void {
    for (const runId of [...this.#cancels.keys()]) this.release(runId);
  }

  /** Sends one now. Never throws: without a response the deadline stays as it is. */
  async beat(run: LiveRun, stepId: string): Promise<void> {
    const { edge, log } = this.#host;
    const askedAt = readClocks();
    try {
      const path = `/v1/steps/${stepId}/heartbeat`;
      const body = run.heartbeat();
      const response = await edge.call({ method: 'POST', path, body, schema: RunHeartbeatResponseSchema });
      if (this.#cancels.has(run.runId)) run.acknowledged(response, askedAt);
    } catch (error) {
      if (!(error instanceof EdgeError)) log.error({ error, run_id: run.runId }, 'a heartbeat failed');
      else if (isStale(error.code) && this.#cancels.has(run.runId)) this.#onStale(run);
    }
  }

  async #keepOn(run: LiveRun, stepId: string): Promise<void> {
    await this.beat(run, stepId);
    if (this.#cancels.has(run.runId)) this.#schedule(run, stepId);
  }

  #schedule(run: LiveRun, stepId: string): void {
    const cancel = this.#host.clock.after(RUN.heartbeat_ms, () => void this.#keepOn(run, stepId));
    this.#cancels.set(run.runId, cancel);
  }
}
