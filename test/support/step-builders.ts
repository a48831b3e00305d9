/** Builders for steps and their ends. */
import type { EndedStep, StepView } from '../../local-agent/executors/executor.ts';
import type { RunExit } from '../../local-agent/runner/exit-file.ts';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import { RUN_ID, TASK_ID } from './run-builders.ts';

export const BASE_SHA = 'b'.repeat(40);

export function claimedRun(overrides: Partial<ClaimedRun> = {}): ClaimedRun {
  return {
    run_id: RUN_ID,
    task_id: TASK_ID,
    step_id: `step_${'0'.repeat(26)}`,
    step_index: 0,
    attempt: 1,
    status: 'prepared',
    kind: 'shell',
    name: 'build',
    input: { script: 'true' },
    worktree: { repo: null, base_ref: null, base_sha: null, branch_name: null, patch_checkpoint_id: null },
    timeout_ms: 60_000,
    deadline_in_ms: 1_200_000,
    cancel: false,
    mode_version: 1,
    max_checkpoint_bytes: RUN.max_checkpoint_bytes,
    task: { title: 'Greet', goal: 'Say hello.', acceptance: [], task_type: 'shell', is_persons: true, constraints: {} },
    previous: null,
    outputs: [],
    ...overrides,
  };
}

export function stepView(overrides: Partial<StepView> = {}): StepView {
  const { claim = claimedRun() } = overrides;
  return {
    claim,
    earlier: claim.outputs.map((output) => ({ ...output, artifacts: null })),
    folder: '/work/task',
    repoPath: null,
    baseSha: null,
    continuesWork: false,
    startsOver: null,
    resumableSession: null,
    changes: '',
    git: { directory: '/src/app/.git/worktrees/task', files: ['.'] },
    agents: {},
    agentVariables: ({ env }) => ({ env, secretNames: [] }),
    newSessionId: () => '00000000-0000-4000-8000-000000000000',
    ...overrides,
  };
}

export function runExit(overrides: Partial<RunExit> = {}): RunExit {
  const none = { signal: null, ended_by: null, error: null, left_behind: [] };
  return { exit_code: 0, ...none, started_at: 1, finished_at: 2, ...overrides };
}

export function endedStep(overrides: Partial<EndedStep> & { exit?: RunExit } = {}): EndedStep {
  return { exit: runExit(), reader: null, stdoutTail: '', stderrTail: '', report: null, ...overrides };
}
