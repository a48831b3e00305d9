/**
 * What to do with a run that this host has: pure. The stage is stored before what follows from it, so a restart knows what
 * may have happened.
 */
import type { RunnerState } from '../runner/start-runner.ts';

/**
 * `claimed`: no runner was started. `started`: one may have been. `ended`: its end is stored and on its way to the edge.
 * `reported`: the edge has it, or has given the step to another run.
 */
export const RUN_STAGES = ['claimed', 'started', 'ended', 'reported'] as const;
export type RunStage = (typeof RUN_STAGES)[number];

const NEXT: Record<RunStage, readonly RunStage[]> = {
  claimed: ['started', 'ended', 'reported'],
  started: ['ended', 'reported'],
  ended: ['reported'],
  reported: [],
};

/** @throws Error for a move backwards */
export function moveStage(from: RunStage, to: RunStage): RunStage {
  if (NEXT[from].includes(to)) return to;
  throw new Error(`a run that is ${from} cannot become ${to}`);
}

export type NextWork = 'prepare' | 'follow' | 'finish' | 'give_up' | 'await_edge' | 'nothing';

/** `runner`: what became of the runner; read for a started run only, as it decides that a late runner starts nothing. */
export function nextWork(stage: RunStage, runner: () => RunnerState): NextWork {
  switch (stage) {
    case 'claimed':
      return 'prepare';
    case 'started':
      return { running: 'follow', ended: 'finish', lost: 'give_up', never_began: 'give_up' }[runner()] as NextWork;
    case 'ended':
      return 'await_edge';
    case 'reported':
      return 'nothing';
    default:
      return stage satisfies never;
  }
}
