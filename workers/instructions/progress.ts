/**
 * Records what a node reports about the instructions of one message: starts, live output, results, and what a person is
 * asked. Every report, of one instruction or of many, becomes one plan here.
 */
import type { EventDraft } from '../../schema/contracts/events.ts';
import type { Approval, ReportedResult } from '../../schema/contracts/instructions.ts';
import type { EventDetail } from '../../schema/contracts/journal.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { Progress, ProgressStep } from '../../schema/domain/progress.ts';
import { applyProgress } from '../../schema/domain/progress.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { guardUnasked } from './ask-in-turn.ts';
import type { LiveChunk } from './live-output.ts';
import { guardOffsets } from './live-output.ts';
import type { LoadedMessage } from './load.ts';
import { transitionContext } from './load.ts';
import type { ArtifactDraft } from './results.ts';
import { insertArtifacts, lateColumns, resultColumns } from './results.ts';
import { storeProgress } from './store-progress.ts';
import type { AddedColumns } from './store-statuses.ts';

/** What is reported of one instruction; null for what is not. */
export interface Report {
  instruction_id: string;
  /** Unix milliseconds. */
  started_at: number | null;
  chunk: LiveChunk | null;
  result: ReportedResult | null;
  /** Of an instruction for which nothing that a person could approve is stored. */
  approval: Approval | null;
}

type ItemStep = Extract<ProgressStep<Report>, { item: Report }>;

export function reportOf(instruction_id: string, part: Partial<Omit<Report, 'instruction_id'>>): Report {
  return { started_at: null, chunk: null, result: null, approval: null, ...part, instruction_id };
}

export interface ReportOptions {
  /** A longer output is stored as an artifact. */
  inlineChars?: number | undefined;
  /** The node that reports, when it is not the one that holds the instructions. */
  reportedBy?: string;
  /** The conversation after what an instruction itself did to it. */
  conversation?: ConversationRow | undefined;
}

export interface RecordedProgress {
  plan: Plan;
  progress: Progress<Report>;
  /** What the plan adds to the rows of instructions, by id. */
  columns: ReadonlyMap<string, AddedColumns>;
}

/** What is left of a report about a message whose texts were removed: a node may report it long after that. */
function withoutTexts(report: Report): Report {
  const { result } = report;
  return { ...report, chunk: null, approval: null, result: result && { ...result, output: '' } };
}

/** Takes at most one report for each instruction of the message. */
export async function recordProgress(
  edge: Edge,
  loaded: LoadedMessage,
  reported: readonly Report[],
  { inlineChars = DELIVERY.inline_chars, reportedBy, conversation }: ReportOptions = {},
): Promise<RecordedProgress> {
  const reports = loaded.message.forgotten_at === null ? reported : reported.map(withoutTexts);
  const progress = applyProgress(loaded.statuses, reports, transitionContext(edge, loaded));
  const { columns, artifacts } = addedColumns(progress.steps, inlineChars, edge.now);
  const details = new Map<ProgressStep<Report>, EventDetail>();
  for (const step of progress.steps) details.set(step, await journalDetail(step));
  const controller_id = reportedBy ?? loaded.message.controller_id;
  const stored = storeProgress(edge, loaded, progress, {
    changedBy: (step) => ({ controller_id, detail: details.get(step) ?? {} }),
    columns,
    conversation,
  });
  const added: Plan = {
    guards: [
      ...guardOffsets(
        edge.db,
        reports.flatMap(({ instruction_id, chunk }) =>
          chunk === null ? [] : [{ instruction_id, offset: chunk.offset }],
        ),
      ),
      ...guardUnasked(edge.db, askedIn(progress.steps)),
    ],
    statements: insertArtifacts(edge, artifacts),
    events: reportEvents(loaded.message.message_id, progress.steps),
  };
  return { plan: mergePlans(stored, added), progress, columns };
}

function askedIn(steps: readonly ProgressStep<Report>[]): string[] {
  return steps.flatMap(({ type, item }) => (type === 'asked' ? [item.instruction_id] : []));
}

function addedColumns(steps: readonly ProgressStep<Report>[], inlineChars: number, now: number) {
  const columns = new Map<string, AddedColumns>();
  const artifacts: ArtifactDraft[] = [];
  const columnsOf = ({ item, type }: ItemStep): AddedColumns => {
    if (type === 'started') return { started_at: item.started_at };
    if (item.chunk !== null && type === 'output') return { output_chars: item.chunk.offset + item.chunk.chunk.length };
    if (type === 'asked') return { approval: item.approval };
    if (item.result === null) return {};
    if (type === 'late_result') return lateColumns(item.result, inlineChars, now);
    const stored = resultColumns(item.instruction_id, item.result, { inlineChars, now });
    if (stored.artifact !== null) artifacts.push(stored.artifact);
    return stored.columns;
  };
  for (const step of steps) {
    if (step.item === null) continue;
    const { instruction_id } = step.item;
    columns.set(instruction_id, { ...columns.get(instruction_id), ...columnsOf(step) });
  }
  return { columns, artifacts };
}

async function journalDetail({ type, item }: ProgressStep<Report>): Promise<EventDetail> {
  if (item === null) return {};
  const { chunk, result, approval } = item;
  if (type === 'asked') return { approval_hash: approval?.approval_hash };
  if (type === 'output') return { ...chunk };
  if (type === 'started' || result === null) return {};
  const { output, ...rest } = result;
  if (type === 'late_result') return rest;
  const { exit_code = null, error_code = null } = rest;
  return { exit_code, error_code, output_sha256: await sha256Hex(output) };
}

/** One event for a report, however much it changes: events are followed by topic, and name what has to be read again. */
function reportEvents(messageId: string, steps: readonly ProgressStep<Report>[]): EventDraft[] {
  if (steps.some((step) => step.type === 'blocked')) {
    return [{ topic: 'instructions', type: 'blocked', subject_id: messageId }];
  }
  const [first, ...more] = steps.flatMap((step) => (step.item === null ? [] : [describeStep(step)]));
  if (first === undefined) return [];
  if (more.length > 0) {
    return [{ topic: 'instructions', type: 'progressed', subject_id: messageId, data: { steps: [first, ...more] } }];
  }
  const { type, instruction_id, ...data } = first;
  return [{ topic: 'instructions', type, subject_id: instruction_id, data }];
}

function describeStep({ type, item: { instruction_id, chunk, result } }: ItemStep) {
  const base = { type, instruction_id };
  if (type === 'output' && chunk !== null) return { ...base, offset: chunk.offset, chars: chunk.chunk.length };
  return type === 'ended' && result !== null ? { ...base, status: result.status } : base;
}
