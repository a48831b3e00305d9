/** The verdict on a step that did not end by itself; its executor has no say in that. */
import { HANDED_OVER, SYSTEM_PAUSED } from '../../schema/contracts/runs.ts';
import type { RunExit } from '../runner/exit-file.ts';
import type { EndReason } from '../runner/stop-decision.ts';
import type { Verdict } from './executor.ts';
import { failed } from './executor.ts';

const ENDS: Record<EndReason, Pick<Verdict, 'status' | 'error_code'> & { text: string }> = {
  timeout: { status: 'timeout', error_code: 'timeout', text: 'the time limit of the step was reached' },
  deadline: { status: 'lost', error_code: 'deadline', text: 'the edge was not reached before the deadline of the run' },
  canceled: { status: 'canceled', error_code: 'canceled', text: 'canceled' },
  handed_over: { status: 'lost', error_code: HANDED_OVER, text: 'given up, so that another host continues it' },
  system_paused: { status: 'canceled', error_code: SYSTEM_PAUSED, text: 'ended by a pause of the system' },
  stale_run: { status: 'lost', error_code: 'stale_run', text: 'another run has taken the step over' },
  failed: { status: 'failed', error_code: 'host_failed', text: 'ended because this host could not continue it' },
};

const NOT_STARTED: Record<string, [code: string, hint: string]> = {
  ENOENT: ['program_not_found', 'name it by its absolute path, or set program_path in config.toml of this host'],
  EACCES: ['permission_denied', 'make the file executable'],
  E2BIG: ['arguments_too_long', 'give the program its input in a file'],
};

const MINUTE_MS = 60_000;

function timeLimitText(limitMs: number): string {
  const limit = limitMs % MINUTE_MS === 0 ? `${limitMs / MINUTE_MS} min` : `${limitMs / 1_000} s`;
  return `the step reached its time limit of ${limit}: give it a larger timeout_ms, or smaller work`;
}

/** Null when the step ended by itself. */
export function exitVerdict({ ended_by, error }: RunExit, { timeoutMs }: { timeoutMs: number }): Verdict | null {
  if (ended_by !== null) {
    const { status, error_code, ...end } = ENDS[ended_by];
    const text = ended_by === 'timeout' ? timeLimitText(timeoutMs) : end.text;
    return { status, summary: text, error_code, error_text: text };
  }
  if (error === null) return null;
  const [code, hint] = NOT_STARTED[error.code] ?? ['spawn_failed', 'see the message of the system'];
  return failed(code, `the program could not be started: ${error.message}; ${hint}`);
}
