/** What a node may claim: by the system's mode, by its own state, by the lease, and by what it has. */
import type { NoRunReason } from '../contracts/runs.ts';
import { ANY_EXECUTOR } from '../contracts/step-inputs.ts';
import type { SystemMode } from '../contracts/system.ts';
import type { Readiness, TaskStatus } from '../contracts/tasks.ts';
import { READINESS } from '../contracts/tasks.ts';

/** The target of a step that is addressed to no host. */
export const LEADERS_TARGET = '';
/** The target of a step that its node has handed over: any other node continues it, whether it leads or not. */
export const ANY_TARGET = '*';

export interface ClaimFacts {
  mode: SystemMode;
  controller_id: string;
  /** A person drains the node. */
  draining: boolean;
  /** Of the leader; without it only what is addressed to the node. */
  term?: number | undefined;
  repos: readonly string[];
  executors: readonly string[];
}

/** The ready steps that the node may take, beside those that are addressed to its host. */
export interface ClaimScope {
  targets: string[];
  needs: string[];
  ready: readonly Readiness[];
}

/** What a step needs of its host; a node asks for each pair that it has. */
export function needsText(repo: string | null, executor: string): string {
  return `${repo ?? ''}/${executor}`;
}

/** The scope, or why the node may take nothing. */
export function claimScope(facts: ClaimFacts): ClaimScope | NoRunReason {
  const { mode, draining } = facts;
  if (mode === 'paused') return 'system_paused';
  if (draining) return 'node_draining';
  const scope = widestScope(facts);
  return mode === 'draining' ? { ...scope, ready: scope.ready.filter((ready) => ready === 'continues') } : scope;
}

/** The scope while nothing of the system and of the node forbids a claim. */
export function widestScope(facts: Omit<ClaimFacts, 'mode' | 'draining'>): ClaimScope {
  const { controller_id, term, repos, executors } = facts;
  const own = [controller_id, ANY_TARGET];
  return {
    targets: term === undefined ? own : [...own, LEADERS_TARGET],
    needs: [null, ...new Set(repos)].flatMap((repo) =>
      [ANY_EXECUTOR, ...new Set(executors)].map((executor) => needsText(repo, executor)),
    ),
    ready: READINESS,
  };
}

/** Why the node found nothing in its scope. */
export function whyNothing({ mode, term }: Pick<ClaimFacts, 'mode' | 'term'>): NoRunReason {
  if (mode === 'draining') return 'system_draining';
  return term === undefined ? 'skipped_not_leader' : 'nothing_to_claim';
}

/** Why the next step of a task is not claimed; null when it is, or has ended. */
export function waitingReason(
  task: { status: TaskStatus; waits_for: number; error_code: string | null },
  ready: Readiness | null,
  mode: SystemMode,
): string | null {
  if (task.status === 'blocked') return task.error_code ?? 'needs_human';
  if (task.status === 'queued' && task.waits_for > 0) return 'waits_for_tasks';
  if (ready === null) return null;
  if (mode === 'paused') return 'system_paused';
  return mode === 'draining' && ready === 'begins' ? 'system_draining' : 'waits_for_a_node';
}
