/** The effects that run in this process now: how to end one from outside, and its output so far. */

import type { StopCause } from '../tools/tool.ts';
import type { LiveOutput } from './live-output.ts';

export interface RunningEffect {
  controller: AbortController;
  live: LiveOutput;
}

export class RunningEffects {
  readonly #running = new Map<string, RunningEffect>();
  #isStopped = false;

  add(instructionId: string, effect: RunningEffect): void {
    this.#running.set(instructionId, effect);
    if (this.#isStopped) effect.controller.abort('agent_stopped' satisfies StopCause);
  }

  delete(instructionId: string): void {
    this.#running.get(instructionId)?.live.end();
    this.#running.delete(instructionId);
  }

  /** Ends it as canceled; false when it does not run here. */
  cancel(instructionId: string): boolean {
    const found = this.#running.get(instructionId);
    found?.controller.abort('canceled' satisfies StopCause);
    return found !== undefined;
  }

  live(instructionId: string): LiveOutput | undefined {
    return this.#running.get(instructionId)?.live;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Ends all of them, and those that may be added still. */
  stop(): void {
    this.#isStopped = true;
    for (const { controller } of this.#running.values()) controller.abort('agent_stopped' satisfies StopCause);
  }
}
