/**
 * What the edge's responses change in this node. Each handler runs exactly once, inside the transaction that removes the
 * stored response; the function that it returns advances the message after the commit.
 */
import { z } from 'zod';
import { GrantUseResponseSchema } from '../../schema/contracts/grants.ts';
import type {
  ClaimedInstruction,
  IngestResponse,
  InstructionResultResponse,
  InstructionRunResponse,
  MessageClaimResponse,
} from '../../schema/contracts/instructions.ts';
import {
  IngestResponseSchema,
  InstructionRunResponseSchema,
  MessageClaimResponseSchema,
  RESULT_STATUSES,
} from '../../schema/contracts/instructions.ts';
import type { MessageProgressResponse } from '../../schema/contracts/progress.ts';
import { MessageProgressResponseSchema } from '../../schema/contracts/progress.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { repliesIn } from '../../schema/domain/reply.ts';
import type { AfterCommit, ResponseHandler, SentRow } from '../edge/response-handlers.ts';
import { responseHandler } from '../edge/response-handlers.ts';
import { failure } from '../tools/tool.ts';
import type { ExecutionStore } from './execution-store.ts';
import { claimDeadline } from './execution-store.ts';
import { MessageContextSchema, newExecutions } from './message-context.ts';
import type { Pipeline } from './pipeline.ts';
import { ProgressContextSchema } from './progress-reports.ts';
import { ClaimContextSchema } from './resubmission.ts';

/** The context of the rows that `OutboxReports` appends. */
const ReportContextSchema = z.object({ instruction_id: z.string() });

export interface ResponseEffects {
  /** A message or an execution has changed. */
  onChange: () => void;
  /** The edge has named the mode. */
  onMode: (mode: SystemMode, modeVersion: number) => void;
}

class PipelineResponses {
  readonly #executions: ExecutionStore;
  readonly #pipeline: Pipeline;
  readonly #onChange: () => void;
  readonly #onMode: ResponseEffects['onMode'];

  constructor(pipeline: Pipeline, { onChange, onMode }: ResponseEffects) {
    this.#executions = pipeline.executions;
    this.#pipeline = pipeline;
    this.#onChange = onChange;
    this.#onMode = onMode;
  }

  /** The edge has decided what becomes of a message. */
  onIngested(response: IngestResponse, { context, respondedAt }: SentRow): AfterCommit {
    const { message, calls } = MessageContextSchema.parse(context);
    const { message_id, local_conversation_id, ingest_status, automation_status, instructions } = response;
    const isReplied = repliesIn(ingest_status, automation_status);
    this.#pipeline.confirmations.note(message_id, respondedAt);
    const isNew = this.#executions.add(
      {
        ...message,
        message_id,
        local_conversation_id,
        ingest_status,
        state: isReplied ? 'executing' : 'done',
        created_at: respondedAt,
      },
      isReplied ? newExecutions(message_id, calls, instructions, respondedAt) : [],
    );
    if (isNew) this.#pipeline.useGrants(instructions);
    return isNew ? this.#advance(message_id) : undefined;
  }

  /** The edge has claimed a resubmitted message for this node. It is executed, and gets a reply of its own. */
  onClaimed(response: MessageClaimResponse, { context, respondedAt }: SentRow): AfterCommit {
    const { message, calls } = ClaimContextSchema.parse(context);
    const { message_id, ingest_status, instructions } = response;
    this.#pipeline.confirmations.note(message_id, respondedAt);
    this.#executions.reopen(
      { ...message, message_id, ingest_status, state: 'executing', created_at: respondedAt },
      newExecutions(message_id, calls, instructions, respondedAt),
    );
    this.#pipeline.useGrants(instructions);
    return this.#advance(message_id);
  }

  /** The edge has the reported starts, outputs and results, and names the status that each instruction has now. */
  onProgress(response: MessageProgressResponse, { context, respondedAt }: SentRow): AfterCommit {
    const { message_id, results } = ProgressContextSchema.parse(context);
    this.#pipeline.confirmations.note(message_id, respondedAt);
    for (const one of response.instructions) {
      const { instruction_id, status, artifact_url, claim_expires_in_ms } = one;
      const execution = this.#executions.execution(instruction_id);
      if (!execution) continue;
      if (results.includes(instruction_id)) {
        // The edge may have blocked or expired it before it knew of the start: it ran, so its result says how it ended.
        const ownStatus = execution.result?.status ?? 'interrupted';
        const endStatus = RESULT_STATUSES.find((known) => known === status) ?? ownStatus;
        this.#executions.end(instruction_id, endStatus, artifact_url);
      } else if (execution.started_at !== null) {
        this.#executions.extendClaim(instruction_id, claimDeadline(respondedAt, claim_expires_in_ms));
      } else this.#executions.setStatus(instruction_id, one, respondedAt);
    }
    this.#pipeline.useGrants(response.instructions);
    const advance = this.#continue(message_id);
    return () => {
      this.#onMode(response.mode, response.mode_version);
      advance?.();
    };
  }

  /** The edge will never accept the report, so it will not send the statuses of the rest either: nothing more starts. */
  onProgressRefused(code: string, { context, respondedAt }: SentRow): AfterCommit {
    const { message_id, results } = ProgressContextSchema.parse(context);
    for (const { instruction_id, result, status, started_at } of this.#executions.executions(message_id)) {
      this.#pipeline.executor.running.liveOutput(instruction_id)?.end();
      if (result !== null && results.includes(instruction_id)) {
        this.#executions.end(instruction_id, result.status, null);
      } else if (isOpenStatus(status) && started_at === null) {
        const interrupted = { status: 'interrupted', gate: code, claim_expires_in_ms: null } as const;
        this.#executions.setStatus(instruction_id, interrupted, respondedAt);
      }
    }
    return this.#continue(message_id);
  }

  /** Reports what has happened since the report that was answered, and advances the message. */
  #continue(messageId: string): AfterCommit {
    this.#executions.setProgressPending(messageId, false);
    this.#pipeline.reports.report(messageId);
    return this.#advance(messageId);
  }

  /** The edge has stored a result. The response names the statuses of the message's other instructions too. */
  onResult(response: InstructionResultResponse, { respondedAt }: SentRow): AfterCommit {
    const { instruction_id, status, artifact_url, rest } = response;
    const execution = this.#executions.execution(instruction_id);
    if (!execution) return undefined;
    const ownStatus = execution.result?.status ?? 'interrupted';
    this.#pipeline.confirmations.note(execution.message_id, respondedAt);
    this.#executions.end(instruction_id, isOpenStatus(status) ? ownStatus : status, artifact_url);
    this.#setStatuses(rest, respondedAt);
    return this.#advance(execution.message_id);
  }

  /** The edge has run an instruction, or has passed it on to another node, whose end will be observed. */
  onRun(response: InstructionRunResponse, row: SentRow): AfterCommit {
    const { instruction_id, output, error_code, duration_ms, claim_expires_in_ms } = response;
    if (isOpenStatus(response.status)) {
      this.#executions.extendClaim(instruction_id, claimDeadline(row.respondedAt, claim_expires_in_ms));
      return undefined;
    }
    const status = RESULT_STATUSES.find((one) => one === response.status) ?? 'failed';
    const result = { status, output, exit_code: null, error_code, duration_ms, truncated: false };
    this.#executions.setResult(instruction_id, result, row.respondedAt);
    return this.onResult(response, row);
  }

  /**
   * The edge will never accept the result, so it will not send the statuses of the other instructions either: none of
   * them starts. At the edge they end when their claims expire.
   */
  onResultRefused(code: string, { context, respondedAt }: SentRow): AfterCommit {
    const { instruction_id } = ReportContextSchema.parse(context);
    const execution = this.#executions.execution(instruction_id);
    if (!execution) return undefined;
    const result = execution.result ?? { ...failure('failed', code, ''), duration_ms: 0 };
    if (!execution.result) this.#executions.setResult(instruction_id, result, respondedAt);
    this.#executions.end(instruction_id, result.status, null);
    for (const other of this.#executions.executions(execution.message_id)) {
      if (!isOpenStatus(other.status)) continue;
      const interrupted = { status: 'interrupted', gate: code, claim_expires_in_ms: null } as const;
      this.#executions.setStatus(other.instruction_id, interrupted, respondedAt);
    }
    return this.#advance(execution.message_id);
  }

  #setStatuses(instructions: readonly ClaimedInstruction[], now: number): void {
    for (const one of instructions) this.#executions.setStatus(one.instruction_id, one, now);
  }

  #advance(messageId: string): AfterCommit {
    return () => {
      this.#pipeline.advance(messageId);
      this.#onChange();
    };
  }
}

/** The handlers of responses to the rows of the pipeline, by kind of row. */
export function pipelineResponses(pipeline: Pipeline, effects: ResponseEffects): Record<string, ResponseHandler> {
  const responses = new PipelineResponses(pipeline, effects);
  const onRefusal: NonNullable<ResponseHandler['onRefusal']> = ({ code }, row) => responses.onResultRefused(code, row);
  return {
    ingest: responseHandler({
      schema: IngestResponseSchema,
      // Until its browser has been moved to this node (browsers/browser-moves.ts).
      waitsFor: ['client_of_other_node'],
      onResponse: (response, row) => responses.onIngested(response, row),
    }),
    claim: responseHandler({
      schema: MessageClaimResponseSchema,
      onResponse: (response, row) => responses.onClaimed(response, row),
    }),
    progress: responseHandler({
      schema: MessageProgressResponseSchema,
      onResponse: (response, row) => responses.onProgress(response, row),
      onRefusal: ({ code }, row) => responses.onProgressRefused(code, row),
    }),
    // The approval comes as a command; after a refusal a person is asked.
    grant_use: responseHandler({ schema: GrantUseResponseSchema, onResponse: () => undefined }),
    run: responseHandler({
      schema: InstructionRunResponseSchema,
      onResponse: (response, row) => responses.onRun(response, row),
      onRefusal,
    }),
  };
}
