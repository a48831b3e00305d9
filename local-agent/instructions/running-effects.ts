/** The effects that run in this process: the signal that stops each, and its output so far. */
import type { StopCause } from '../tools/tool.ts';
import type { LiveOutput } from './live-output.ts';

export interface RunningEffect {
  controller: AbortController;
  live: LiveOutput;
}

const AGENT_STOPPED: StopCause = 'agent_stopped';
const CANCELED: StopCause = 'canceled';

export class RunningEffects {
  readonly #running = new Map<string, RunningEffect>();
  #isStopping = false;

  /** Registers an effect. One that is added while the agent stops is stopped at once. */
  add(instructionId: string, effect: RunningEffect): void {
    this.#running.set(instructionId, effect);
    if (this.#isStopping) effect.controller.abort(AGENT_STOPPED);
  }

  delete(instructionId: string): void {
    this.#running.get(instructionId)?.live.end();
    this.#running.delete(instructionId);
  }

  /** Stops an effect as canceled; false when it does not run here. */
  cancel(instructionId: string): boolean {
    const effect = this.#running.get(instructionId);
    effect?.controller.abort(CANCELED);
    return effect !== undefined;
  }

  liveOutput(instructionId: string): LiveOutput | undefined {
    return this.#running.get(instructionId)?.live;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Stops all effects, and any that is added later. */
  stop(): void {
    this.#isStopping = true;
    for (const { controller } of this.#running.values()) controller.abort(AGENT_STOPPED);
  }
}
