/** What a node that holds instructions may report about them: one part of one instruction, or all that is new of a message. */
import type { z } from 'zod';
import type {
  InstructionResultBody,
  InstructionResultResponse,
  StartedResponseSchema,
} from '../../schema/contracts/instructions.ts';
import type {
  InstructionOutputBody,
  InstructionOutputResponseSchema,
  MessageProgressBody,
  MessageProgressResponse,
} from '../../schema/contracts/progress.ts';
import { AppError } from '../../schema/errors.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { approvalInTurn } from './ask-in-turn.ts';
import type { Described } from './grant-use.ts';
import { offeredGrants, withOffers } from './grant-use.ts';
import { nextChunk } from './live-output.ts';
import type { LoadedInstruction, LoadedMessage } from './load.ts';
import { loadInstruction, loadMessage } from './load.ts';
import type { RecordedProgress, Report } from './progress.ts';
import { recordProgress, reportOf } from './progress.ts';
import { claimedOf, progressResponse, resultResponse } from './responses.ts';

/** `POST /v1/instructions/:id/started`. Throws `instruction_not_found` and `not_owner`. */
export async function reportStart(
  edge: Edge,
  instruction_id: string,
  controllerId: string,
): Promise<WritePlan<z.input<typeof StartedResponseSchema>>> {
  const loaded = await loadOwn(edge, instruction_id, controllerId);
  const recorded = await recordProgress(edge, loaded, [reportOf(instruction_id, { started_at: edge.now })]);
  const { status, claim_expires_in_ms } = claimedOf(recorded, instruction_id, edge.now);
  return toWritePlan(recorded, instruction_id, { instruction_id, status, claim_expires_in_ms });
}

/** `POST /v1/instructions/:id/output`. Throws `instruction_not_found` and `not_owner`. */
export async function reportOutput(
  edge: Edge,
  instruction_id: string,
  { controller_id, offset, chunk: text }: InstructionOutputBody,
): Promise<WritePlan<z.input<typeof InstructionOutputResponseSchema>>> {
  const loaded = await loadOwn(edge, instruction_id, controller_id);
  const chunk = nextChunk(loaded.row, { offset, text });
  const recorded = await recordProgress(edge, loaded, [reportOf(instruction_id, { chunk })]);
  const received = recorded.columns.get(instruction_id)?.output_chars ?? loaded.row.output_chars;
  return toWritePlan(recorded, instruction_id, { instruction_id, received });
}

/** `POST /v1/instructions/:id/result`; `origin` is where the API was reached. Throws `instruction_not_found` and `not_owner`. */
export async function reportResult(
  edge: Edge,
  instruction_id: string,
  { controller_id, inline_chars: inlineChars, ...result }: InstructionResultBody,
  origin: string,
): Promise<WritePlan<InstructionResultResponse>> {
  const loaded = await loadOwn(edge, instruction_id, controller_id);
  const recorded = await recordProgress(edge, loaded, [reportOf(instruction_id, { result })], { inlineChars });
  return toWritePlan(recorded, instruction_id, await resultResponse(edge, loaded, recorded, origin));
}

/**
 * `POST /v1/messages/:id/progress`. `ageMs` is how long ago the body was written. Throws `message_not_found`,
 * `instruction_not_found` for an instruction that the message does not have, and `not_owner`.
 */
export async function reportProgress(
  edge: Edge,
  messageId: string,
  { controller_id, items, inline_chars: inlineChars }: MessageProgressBody,
  { origin, ageMs }: { origin: string; ageMs: number },
): Promise<WritePlan<MessageProgressResponse>> {
  const loaded = await loadMessage(edge, messageId);
  requireOwn(controller_id, loaded.message);
  const reportOn = async (item: MessageProgressBody['items'][number]): Promise<Report> => {
    const { instruction_id, started, started_age_ms = 0, output, result = null, approval } = item;
    const row = loaded.rows.find((one) => one.instruction_id === instruction_id);
    if (!row) throw new AppError('instruction_not_found', `${messageId} has no instruction ${instruction_id}`);
    return {
      instruction_id,
      started_at: started === undefined ? null : edge.now - ageMs - started_age_ms,
      chunk: output === undefined ? null : nextChunk(row, output),
      result,
      approval: await approvalInTurn(edge.db, row, approval),
    };
  };
  const reports = await Promise.all(items.map(reportOn));
  const recorded = await recordProgress(edge, loaded, reports, { inlineChars });
  const response = await progressResponse(edge, loaded, recorded, origin);
  const offers = await offeredGrants(edge, loaded.message, askedIn(loaded, recorded));
  return toWritePlan(recorded, messageId, { ...response, instructions: withOffers(response.instructions, offers) });
}

/** What the report asks a person. */
function askedIn({ rows }: LoadedMessage, { progress }: RecordedProgress): Described[] {
  return progress.steps.flatMap(({ type, item }) => {
    const row = type === 'asked' ? rows.find((one) => one.instruction_id === item.instruction_id) : undefined;
    return row === undefined || item === null ? [] : [{ ...row, approval: item.approval }];
  });
}

async function loadOwn(edge: Edge, instructionId: string, controllerId: string): Promise<LoadedInstruction> {
  const loaded = await loadInstruction(edge, instructionId);
  requireOwn(controllerId, loaded.row);
  return loaded;
}

/** A report that changes nothing is not recorded. */
function toWritePlan<T>({ plan, progress }: RecordedProgress, subject_id: string, response: T): WritePlan<T> {
  return { ...plan, audited: progress.steps.length > 0, subject_id, response };
}
