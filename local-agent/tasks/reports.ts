/** What a node reports of one run, as rows of the run's stream: the edge gets them in this order. */
import type { CheckpointBody, RunLogsBody, RunUsage } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import type { Verdict } from '../executors/executor.ts';
import type { OutboxEntry } from '../store/outbox.ts';
import { runStream } from '../store/streams.ts';

export const REPORT_KINDS = { logs: 'run_logs', checkpoint: 'run_checkpoint', end: 'run_end' } as const;

interface Reported {
  run_id: string;
  step_id: string;
}

function row({ run_id, step_id }: Reported, kind: string, route: string, body: object): OutboxEntry {
  const path = `/v1/steps/${step_id}/${route}`;
  return { stream: runStream(run_id), kind, method: 'POST', path, body: { run_id, ...body }, context: { run_id } };
}

export function logsReport(run: Reported, chunks: RunLogsBody['chunks']): OutboxEntry {
  return row(run, REPORT_KINDS.logs, 'logs', { chunks });
}

export function checkpointReport(run: Reported, body: Omit<CheckpointBody, 'run_id'>): OutboxEntry {
  return row(run, REPORT_KINDS.checkpoint, 'checkpoint', body);
}

/** How a run ended, with what is known of its process and its coding agent. */
export interface RunEnd {
  verdict: Verdict;
  exit_code: number | null;
  signal: string | null;
  usage: RunUsage | null;
  session_id: string | null;
}

const cut = (text: string | null) => text?.slice(0, RUN.max_summary_chars) ?? null;

export function endReport(run: Reported, { verdict, exit_code, signal, usage, session_id }: RunEnd): OutboxEntry {
  const { status, error_code, error_text, final } = verdict;
  const end = { exit_code, signal, summary: cut(verdict.summary), usage, session_id };
  if (status === 'succeeded') return row(run, REPORT_KINDS.end, 'complete', end);
  const failure = { status, error_code: error_code ?? 'failed', error_text: cut(error_text) };
  return row(run, REPORT_KINDS.end, 'fail', { ...end, ...failure, ...(final === true ? { final } : {}) });
}

/** What this run used of a session that counts in all. Counts that went back belong to another session. */
export function usageSince(before: RunUsage | null, now: RunUsage, cumulative: readonly (keyof RunUsage)[]): RunUsage {
  const used = { ...now };
  for (const key of cumulative) {
    const total = now[key];
    const earlier = before?.[key] ?? 0;
    if (total !== undefined && total >= earlier) used[key] = total - earlier;
  }
  return used;
}
