/** Builders for run files. */
import type { RunMeta } from '../../schema/contracts/run-files.ts';

export const TASK_ID = `task_${'0'.repeat(26)}`;
export const RUN_ID = `run_${'0'.repeat(26)}`;

export function runMeta(overrides: Partial<RunMeta> = {}): RunMeta {
  return {
    run_id: RUN_ID,
    task_id: TASK_ID,
    step_id: `step_${'0'.repeat(26)}`,
    attempt: 1,
    controller_id: 'mini-main',
    host: 'mini',
    executor: { kind: 'shell', agent: null, dialect: null },
    request: { input: { script: 'true' }, timeout_ms: 60_000, worktree: null },
    versions: { conductor: '0.1.0', node: 'v24.0.0' },
    created_at: 1_700_000_000_000,
    ...overrides,
  };
}
