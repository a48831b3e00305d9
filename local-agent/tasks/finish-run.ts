/** Ends a run: last checkpoints, terminal event, terminal state, the rest of the logs, and the report, in this order. */
import { join } from 'node:path';
import type { RunStateFile } from '../../schema/contracts/run-files.ts';
import { isLiveRun } from '../../schema/domain/run-machine.ts';
import type { Verdict } from '../executors/executor.ts';
import type { RunExit } from '../runner/exit-file.ts';
import type { EndReason } from '../runner/stop-decision.ts';
import { runStream } from '../store/streams.ts';
import { endedStepOf, TERMINAL_EVENTS, usageOf, verdictOf } from './end-of-run.ts';
import { noteStart, readOutput } from './follow-run.ts';
import { endReport } from './reports.ts';
import type { RunScene } from './run-scene.ts';
import { saveProgress } from './run-scene.ts';

/** A run that ended without a process, or whose process ended unseen. */
export function noExit(now: number, ended_by: EndReason | null = null): RunExit {
  const none = { exit_code: null, signal: null, error: null, left_behind: [] };
  return { ...none, ended_by, started_at: now, finished_at: now };
}

function summaryText({ record, run, host }: RunScene, verdict: Verdict, exit: RunExit): string {
  const { run_id, task_id, step_id, attempt } = run.claim;
  const { status, summary, error_code } = verdict;
  const ids = { run_id, task_id, step_id, attempt, seq: record.state.checkpoint_seq + 1 };
  const end = { status, created_at: host.clock.now(), summary, error_code, exit_code: exit.exit_code };
  return `${JSON.stringify({ ...ids, ...end }, null, 2)}\n`;
}

/** Writes the terminal state into the files of the run, everything else before it. */
function writeEnd({ record, host }: RunScene, verdict: Verdict, exit: RunExit): void {
  const { status, summary, error_code, error_text } = verdict;
  const { exit_code, signal } = exit;
  const type = TERMINAL_EVENTS[status];
  const data = { exit_code, signal, error_code };
  if (type !== null) record.once(type, summary.split('\n')[0] ?? status, data, { sync: true });
  const end: Partial<RunStateFile> = { status, summary, error_code, error_text, exit_code, signal };
  record.end({ ...end, finished_at: host.clock.now() });
}

/** Hands the rest of the logs on, and behind them the end. */
function report(
  { record, run, host, reader }: RunScene,
  verdict: Verdict,
  exit: Pick<RunExit, 'exit_code' | 'signal'>,
): void {
  const { store, runs } = host;
  const { run_id, step_id } = run.claim;
  record.sendLogs({ isComplete: true });
  const { exit_code, signal } = exit;
  store.transaction(() => {
    const used = usageOf(reader, runs);
    store.outbox.append(endReport({ run_id, step_id }, { verdict, exit_code, signal, ...used }));
    runs.move(run_id, 'ended');
  });
}

/** The verdict that the files of the run have; null while they have none. */
function writtenVerdict({ status, summary, error_code, error_text }: RunStateFile): Verdict | null {
  if (isLiveRun(status)) return null;
  return { status: status as Verdict['status'], summary: summary ?? status, error_code, error_text };
}

/** Whether an earlier look has written the end into the files, and it could not be stored any more. */
export function hasWrittenEnd({ record }: RunScene): boolean {
  return writtenVerdict(record.state) !== null;
}

/** Reports the end that the files of the run have. They stay as they are: a terminal state is the last that is written. */
export async function reportWritten(scene: RunScene): Promise<void> {
  const { state } = scene.record;
  const verdict = writtenVerdict(state);
  if (verdict === null) throw new Error(`the run ${scene.run.run_id} has not ended`);
  await readOutput(scene);
  report(scene, verdict, state);
}

/** The chat that created the task gets these texts, which have parts of what the step has printed. */
function redacted(verdict: Verdict, { redact }: RunScene['host']): Verdict {
  const { summary, error_text } = verdict;
  return { ...verdict, summary: redact(summary), error_text: error_text === null ? null : redact(error_text) };
}

/** A person who reads the summary learns that earlier work is not in it. */
function withStartOver(verdict: Verdict, { record }: RunScene): Verdict {
  const why = record.said('work_started_over');
  return why === null ? verdict : { ...verdict, summary: `${verdict.summary}\n(${why})` };
}

export interface RunOutcome {
  exit: RunExit;
  /** Instead of the executor's judgement. */
  verdict?: Verdict;
}

/** @throws the error of the store, when it takes nothing: then the end is in the files, for `reportWritten` */
export async function finishRun(scene: RunScene, { exit, verdict: given }: RunOutcome): Promise<void> {
  const { record, executor, host } = scene;
  noteStart(scene);
  await readOutput(scene);
  const reportPath = executor?.report ?? null;
  const path = reportPath === null ? null : join(scene.path, reportPath);
  const end = endedStepOf(record.folder, { exit, reader: scene.reader, report: path });
  const how = exit.signal ?? `exit code ${exit.exit_code ?? 'unknown'}`;
  if (record.state.pid !== null) record.once('worker_exited', `the process has ended: ${how}`, { ...exit });
  await saveProgress(scene);
  const output = executor?.testOutput(end) ?? null;
  if (output !== null) await record.saveText('test_output', output);
  const verdict = withStartOver(redacted(given ?? verdictOf(end, scene), host), scene);
  await record.saveText('summary', summaryText(scene, verdict, exit));
  writeEnd(scene, verdict, exit);
  report(scene, verdict, exit);
}

/** Ends a run that another one has taken over: its files stay, and nothing more is reported. */
export function dropRun({ record, run, host }: RunScene): void {
  const { store, runs } = host;
  if (isLiveRun(record.state.status)) {
    const text = 'another run has taken the step over';
    const end = { status: 'lost' as const, error_code: 'stale_run', error_text: text, summary: text };
    record.end({ ...end, finished_at: host.clock.now() });
  }
  store.transaction(() => {
    store.outbox.discard(runStream(run.run_id));
    runs.move(run.run_id, 'reported');
  });
}
