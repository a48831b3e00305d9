/**
 * What the edge's answers change here. Each handler runs inside the transaction that works the answer off, exactly
 * once; what it returns goes on with the message afterwards.
 */
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import type {
  ClaimedInstruction,
  IngestBody,
  IngestResponse,
  InstructionResultResponse,
  MessageClaimResponse,
} from '../../schema/contracts/instructions.ts';
import {
  IngestBodySchema,
  IngestResponseSchema,
  InstructionOutputResponseSchema,
  InstructionResultResponseSchema,
  InstructionRunResponseSchema,
  MessageClaimResponseSchema,
  RESULT_STATUSES,
  StartedResponseSchema,
} from '../../schema/contracts/instructions.ts';
import { repliesTo } from '../../schema/domain/reply.ts';
import type { AfterCommit, ResponseHandler, SentRow } from '../edge/response-handlers.ts';
import { responseHandler } from '../edge/response-handlers.ts';
import type { InstructionResult } from '../tools/tool.ts';
import { ended } from '../tools/tool.ts';
import type { ExecutionStore, NewExecution } from './execution-store.ts';
import { isOpen } from './next-step.ts';
import type { Pipeline } from './pipeline.ts';
import type { ResubmittedCall } from './resubmission.ts';
import { ResubmissionSchema } from './resubmission.ts';
import type { RunningEffects } from './running.ts';

const ContextSchema = z.object({ instruction_id: z.string() });

function claimUntil(answeredAt: number, expiresInMs: number | null): number | null {
  return expiresInMs === null ? null : answeredAt + expiresInMs;
}

function newExecutions(body: IngestBody, answer: IngestResponse, answeredAt: number): NewExecution[] {
  return answer.instructions.flatMap(({ instruction_id, index, status, gate, claim_expires_in_ms }) => {
    const sent = body.instructions.find((one) => one.index === index);
    if (!sent) return [];
    const call = { instruction_id, index, name: `${sent.target}::${sent.tool}`, params: sent.params };
    const statuses = gate ?? (status === 'denied' ? sent.policy.rule : null);
    return executionOf(answer.message_id, call, { status, gate: statuses, claim_expires_in_ms }, answeredAt);
  });
}

function executionOf(
  messageId: string,
  { instruction_id, index, name, params }: ResubmittedCall,
  { status, gate, claim_expires_in_ms }: Pick<ClaimedInstruction, 'status' | 'gate' | 'claim_expires_in_ms'>,
  answeredAt: number,
): NewExecution {
  const claim_until = claimUntil(answeredAt, claim_expires_in_ms);
  return { instruction_id, message_id: messageId, idx: index, name, params, status, gate, claim_until };
}

class Responses {
  readonly #ledger: ExecutionStore;
  readonly #advance: (messageId: string) => void;
  readonly #onChange: () => void;
  readonly #running: RunningEffects;

  constructor(pipeline: Pipeline, onChange: () => void) {
    this.#ledger = pipeline.ledger;
    this.#running = pipeline.effects.running;
    this.#advance = (messageId) => pipeline.advance(messageId);
    this.#onChange = onChange;
  }

  ingested(answer: IngestResponse, row: SentRow): AfterCommit {
    const body = IngestBodySchema.parse(row.body);
    const { link } = body;
    const added = this.#ledger.add(
      {
        message_id: answer.message_id,
        client_id: body.client_id,
        platform: PlatformSchema.parse(body.platform),
        remote_conversation_id: body.remote_conversation_id,
        local_conversation_id: answer.local_conversation_id,
        ingest_status: answer.ingest_status,
        target: {
          client_id: body.client_id,
          conversation_id: body.remote_conversation_id,
          organization_id: link.organization_id ?? null,
          page_url: link.page_url,
          page_title: link.page_title,
          tab_id: link.tab_id,
          shell_page: link.shell_page,
        },
        assistant_message_id: body.assistant_message_id ?? null,
        block_errors: body.block_errors,
        state: repliesTo(answer.ingest_status) ? 'executing' : 'done',
        created_at: row.respondedAt,
      },
      repliesTo(answer.ingest_status) ? newExecutions(body, answer, row.respondedAt) : [],
    );
    return added ? this.#goOn(answer.message_id) : undefined;
  }

  started(answer: z.infer<typeof StartedResponseSchema>, row: SentRow): AfterCommit {
    this.#ledger.extendClaim(answer.instruction_id, claimUntil(row.respondedAt, answer.claim_expires_in_ms));
    return undefined;
  }

  /** The edge has the result: the instruction stands as it says, and so do the others of the message. */
  ended(answer: InstructionResultResponse, row: SentRow): AfterCommit {
    const execution = this.#ledger.execution(answer.instruction_id);
    if (!execution) return undefined;
    const own = execution.result?.status ?? 'interrupted';
    this.#ledger.settle(answer.instruction_id, isOpen(answer.status) ? own : answer.status, answer.artifact_url);
    this.#follow(answer.rest, row.respondedAt);
    return this.#goOn(execution.message_id);
  }

  ranAtEdge(answer: z.infer<typeof InstructionRunResponseSchema>, row: SentRow): AfterCommit {
    const { instruction_id, output, error_code, duration_ms } = answer;
    // Another node's browser does it; the edge says when that has ended.
    if (isOpen(answer.status)) return this.#statuses(answer, row);
    const status = RESULT_STATUSES.find((one) => one === answer.status) ?? 'failed';
    const result = { status, output, exit_code: null, error_code, duration_ms, truncated: false };
    this.#ledger.finish(instruction_id, result, row.respondedAt);
    return this.ended(answer, row);
  }

  #statuses(answer: InstructionResultResponse, row: SentRow): AfterCommit {
    const { instruction_id, claim_expires_in_ms } = answer;
    this.#ledger.extendClaim(instruction_id, claimUntil(row.respondedAt, claim_expires_in_ms));
    return undefined;
  }

  /** The edge has what was printed so far; the next chunk may go. */
  printed({ instruction_id }: z.infer<typeof InstructionOutputResponseSchema>): AfterCommit {
    return () => this.#running.live(instruction_id)?.answered();
  }

  /** The edge wants no more of it before the result. */
  notPrinted(row: SentRow): AfterCommit {
    const { instruction_id } = ContextSchema.parse(row.context);
    return () => this.#running.live(instruction_id)?.end();
  }

  /** A resubmitted message: what the edge has claimed for this host is taken up, and answered anew. */
  claimed(answer: MessageClaimResponse, row: SentRow): AfterCommit {
    const { message, calls } = ResubmissionSchema.parse(row.context);
    const taken = answer.instructions.flatMap((one) => {
      const call = calls.find(({ instruction_id }) => instruction_id === one.instruction_id);
      return call ? [executionOf(answer.message_id, call, one, row.respondedAt)] : [];
    });
    const { ingest_status } = answer;
    this.#ledger.reopen({ ...message, ingest_status, state: 'executing', created_at: row.respondedAt }, taken);
    return this.#goOn(answer.message_id);
  }

  /**
   * The edge will not hear of it, so its word on the others will not come either: none of them is begun any more.
   * The edge's own reaper ends them there.
   */
  refused(code: string, row: SentRow): AfterCommit {
    const { instruction_id } = ContextSchema.parse(row.context);
    const execution = this.#ledger.execution(instruction_id);
    if (!execution) return undefined;
    const refusal: InstructionResult = { ...ended('failed', code, ''), duration_ms: 0 };
    const result = execution.result ?? refusal;
    if (!execution.result) this.#ledger.finish(instruction_id, refusal, row.respondedAt);
    this.#ledger.settle(instruction_id, result.status, null);
    for (const other of this.#ledger.executions(execution.message_id)) {
      if (!isOpen(other.status)) continue;
      this.#ledger.stand(other.instruction_id, { status: 'interrupted', gate: code, claimUntil: null });
    }
    return this.#goOn(execution.message_id);
  }

  #follow(rest: readonly ClaimedInstruction[], answeredAt: number): void {
    for (const { instruction_id, status, gate, claim_expires_in_ms } of rest) {
      this.#ledger.stand(instruction_id, { status, gate, claimUntil: claimUntil(answeredAt, claim_expires_in_ms) });
    }
  }

  #goOn(messageId: string): AfterCommit {
    return () => {
      this.#advance(messageId);
      this.#onChange();
    };
  }
}

/** The handlers of the rows that the pipeline writes, by kind. */
export function pipelineResponses(pipeline: Pipeline, onChange: () => void): Record<string, ResponseHandler> {
  const answers = new Responses(pipeline, onChange);
  const onRefusal: NonNullable<ResponseHandler['onRefusal']> = ({ code }, row) => answers.refused(code, row);
  return {
    ingest: responseHandler({
      schema: IngestResponseSchema,
      onResponse: (answer, row) => answers.ingested(answer, row),
    }),
    started: responseHandler({
      schema: StartedResponseSchema,
      onResponse: (answer, row) => answers.started(answer, row),
    }),
    result: responseHandler({
      schema: InstructionResultResponseSchema,
      onResponse: (answer, row) => answers.ended(answer, row),
      onRefusal,
    }),
    output: responseHandler({
      schema: InstructionOutputResponseSchema,
      onResponse: (answer) => answers.printed(answer),
      onRefusal: (_refusal, row) => answers.notPrinted(row),
    }),
    claim: responseHandler({
      schema: MessageClaimResponseSchema,
      onResponse: (answer, row) => answers.claimed(answer, row),
    }),
    run: responseHandler({
      schema: InstructionRunResponseSchema,
      onResponse: (answer, row) => answers.ranAtEdge(answer, row),
      onRefusal,
    }),
  };
}
