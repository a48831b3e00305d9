/** The verdict on an ended run, and how its files say it. */
import { join } from 'node:path';
import type { RunEventType } from '../../schema/contracts/run-files.ts';
import type { RunUsage } from '../../schema/contracts/runs.ts';
import { fileTail } from '../checkpoints/log-tail.ts';
import { AgentReader } from '../executors/agent.ts';
import type { EndedStep, OutputReader, Verdict } from '../executors/executor.ts';
import { failed } from '../executors/executor.ts';
import { exitVerdict } from '../executors/exit-verdict.ts';
import { readRegularFile } from '../host/regular-file.ts';
import type { RunExit } from '../runner/exit-file.ts';
import type { RunEnd } from './reports.ts';
import { usageSince } from './reports.ts';
import type { RunScene } from './run-scene.ts';
import type { RunStore } from './run-store.ts';

export const FREE_SPACE = 'free space on that disk, and retry the task';

/** The terminal event of each end. A lost run has none: it did not end here. */
export const TERMINAL_EVENTS: Record<Verdict['status'], RunEventType | null> = {
  succeeded: 'step_completed',
  failed: 'step_failed',
  timeout: 'step_timeout',
  blocked: 'step_blocked',
  canceled: 'step_canceled',
  lost: null,
};

/** A larger report of tests is not read: it would keep the agent from everything else. */
const MAX_REPORT_BYTES = 8 * 1024 * 1024;

export function endedStepOf(
  runFolder: string,
  { exit, reader, report }: { exit: RunExit; reader: OutputReader | null; report: string | null },
): EndedStep {
  const tail = (name: string) => fileTail(join(runFolder, name));
  const text = report === null ? null : (readRegularFile(report, MAX_REPORT_BYTES)?.toString('utf8') ?? null);
  return { exit, reader, report: text, stdoutTail: tail('stdout.log'), stderrTail: tail('stderr.log') };
}

/** A step that its files cannot be written for has failed, however it ended. */
export function verdictOf(
  end: EndedStep,
  { executor, record, run }: Pick<RunScene, 'executor' | 'record' | 'run'>,
): Verdict {
  const { diskFault } = record;
  if (diskFault !== null) return failed('disk_fault', `${diskFault}; ${FREE_SPACE}`);
  const forced = exitVerdict(end.exit, { timeoutMs: run.claim.timeout_ms });
  if (forced !== null) return forced;
  return executor === null ? failed('unsupported_step_kind', 'this host has no executor for it') : executor.judge(end);
}

/**
 * What the run used, without what its session had used before it. The totals of the session are noted, so this belongs into
 * the transaction that stores the end: a second look finds the same difference.
 */
export function usageOf(reader: OutputReader | null, runs: RunStore): Pick<RunEnd, 'usage' | 'session_id'> {
  if (!(reader instanceof AgentReader)) return { usage: null, session_id: null };
  const { usage, sessionId } = reader.view();
  if (usage === null || sessionId === null) return { usage, session_id: sessionId };
  const used: RunUsage = usageSince(runs.sessionUsage(sessionId), usage, reader.dialect.cumulative);
  runs.noteSessionUsage(sessionId, usage);
  return { usage: used, session_id: sessionId };
}
