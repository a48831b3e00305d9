/**
 * What the edge's responses change in this node. Each handler runs exactly once, inside the transaction that removes the
 * stored response; the function that it returns advances the message after the commit.
 */
import { z } from 'zod';
import type {
  ClaimedInstruction,
  IngestResponse,
  InstructionResultResponse,
  InstructionRunResponse,
  MessageClaimResponse,
} from '../../schema/contracts/instructions.ts';
import {
  IngestResponseSchema,
  InstructionOutputResponseSchema,
  InstructionResultResponseSchema,
  InstructionRunResponseSchema,
  MessageClaimResponseSchema,
  RESULT_STATUSES,
  StartedResponseSchema,
} from '../../schema/contracts/instructions.ts';
import { isOpen } from '../../schema/domain/instruction-machine.ts';
import { repliesTo } from '../../schema/domain/reply.ts';
import type { AfterCommit, ResponseHandler, SentRow } from '../edge/response-handlers.ts';
import { responseHandler } from '../edge/response-handlers.ts';
import { failure } from '../tools/tool.ts';
import type { ExecutionStore } from './execution-store.ts';
import { claimDeadline } from './execution-store.ts';
import { MessageContextSchema, newExecutions } from './message-context.ts';
import type { Pipeline } from './pipeline.ts';
import { ClaimContextSchema } from './resubmission.ts';

/** The context of the rows that `OutboxReports` appends. */
const ReportContextSchema = z.object({ instruction_id: z.string() });

class PipelineResponses {
  readonly #executions: ExecutionStore;
  readonly #pipeline: Pipeline;
  readonly #onChange: () => void;

  constructor(pipeline: Pipeline, onChange: () => void) {
    this.#executions = pipeline.executions;
    this.#pipeline = pipeline;
    this.#onChange = onChange;
  }

  /** The edge has decided what becomes of a message. */
  onIngested(response: IngestResponse, { context, respondedAt }: SentRow): AfterCommit {
    const { message, calls } = MessageContextSchema.parse(context);
    const { message_id, local_conversation_id, ingest_status, instructions } = response;
    const isReplied = repliesTo(ingest_status);
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
    return isNew ? this.#advance(message_id) : undefined;
  }

  /** The edge has claimed a resubmitted message for this node. It is executed, and gets a reply of its own. */
  onClaimed(response: MessageClaimResponse, { context, respondedAt }: SentRow): AfterCommit {
    const { message, calls } = ClaimContextSchema.parse(context);
    const { message_id, ingest_status, instructions } = response;
    this.#executions.reopen(
      { ...message, message_id, ingest_status, state: 'executing', created_at: respondedAt },
      newExecutions(message_id, calls, instructions, respondedAt),
    );
    return this.#advance(message_id);
  }

  onStarted(response: z.infer<typeof StartedResponseSchema>, { respondedAt }: SentRow): AfterCommit {
    const { instruction_id, claim_expires_in_ms } = response;
    this.#executions.extendClaim(instruction_id, claimDeadline(respondedAt, claim_expires_in_ms));
    return undefined;
  }

  /** The edge has stored a result. The response names the statuses of the message's other instructions too. */
  onResult(response: InstructionResultResponse, { respondedAt }: SentRow): AfterCommit {
    const { instruction_id, status, artifact_url, rest } = response;
    const execution = this.#executions.execution(instruction_id);
    if (!execution) return undefined;
    const ownStatus = execution.result?.status ?? 'interrupted';
    this.#executions.end(instruction_id, isOpen(status) ? ownStatus : status, artifact_url);
    this.#setStatuses(rest, respondedAt);
    return this.#advance(execution.message_id);
  }

  /** The edge has run an instruction, or has passed it on to another node, whose end will be observed. */
  onRun(response: InstructionRunResponse, row: SentRow): AfterCommit {
    const { instruction_id, output, error_code, duration_ms, claim_expires_in_ms } = response;
    if (isOpen(response.status)) {
      this.#executions.extendClaim(instruction_id, claimDeadline(row.respondedAt, claim_expires_in_ms));
      return undefined;
    }
    const status = RESULT_STATUSES.find((one) => one === response.status) ?? 'failed';
    const result = { status, output, exit_code: null, error_code, duration_ms, truncated: false };
    this.#executions.setResult(instruction_id, result, row.respondedAt);
    return this.onResult(response, row);
  }

  /** The edge has stored a chunk of output; the next one may be sent. */
  onOutput({ instruction_id }: z.infer<typeof InstructionOutputResponseSchema>): AfterCommit {
    return () => this.#pipeline.executor.running.liveOutput(instruction_id)?.onResponse();
  }

  /** The edge refuses chunks of output before the result. */
  onOutputRefused({ context }: SentRow): AfterCommit {
    const { instruction_id } = ReportContextSchema.parse(context);
    return () => this.#pipeline.executor.running.liveOutput(instruction_id)?.end();
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
      if (!isOpen(other.status)) continue;
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
export function pipelineResponses(pipeline: Pipeline, onChange: () => void): Record<string, ResponseHandler> {
  const responses = new PipelineResponses(pipeline, onChange);
  const onRefusal: NonNullable<ResponseHandler['onRefusal']> = ({ code }, row) => responses.onResultRefused(code, row);
  return {
    ingest: responseHandler({
      schema: IngestResponseSchema,
      onResponse: (response, row) => responses.onIngested(response, row),
    }),
    claim: responseHandler({
      schema: MessageClaimResponseSchema,
      onResponse: (response, row) => responses.onClaimed(response, row),
    }),
    started: responseHandler({
      schema: StartedResponseSchema,
      onResponse: (response, row) => responses.onStarted(response, row),
    }),
    result: responseHandler({
      schema: InstructionResultResponseSchema,
      onResponse: (response, row) => responses.onResult(response, row),
      onRefusal,
    }),
    run: responseHandler({
      schema: InstructionRunResponseSchema,
      onResponse: (response, row) => responses.onRun(response, row),
      onRefusal,
    }),
    output: responseHandler({
      schema: InstructionOutputResponseSchema,
      onResponse: (response) => responses.onOutput(response),
      onRefusal: (_refusal, row) => responses.onOutputRefused(row),
    }),
  };
}
