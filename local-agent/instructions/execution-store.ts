/** The tables `messages` and `executions`: the messages that this node holds, and how far each instruction is. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { CallSourceSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { ClaimedInstruction, InstructionState } from '../../schema/contracts/instructions.ts';
import { BlockErrorSchema, IngestStatusSchema, InstructionStateSchema } from '../../schema/contracts/instructions.ts';
import { isFinalStatus } from '../../schema/domain/instruction-machine.ts';
import type { InstructionResult } from '../tools/tool.ts';
import { InstructionResultSchema } from '../tools/tool.ts';
import type { RunningProcess } from '../worker-runner/orphans.ts';
import { RunningProcessSchema } from '../worker-runner/orphans.ts';

function json<T extends z.ZodType>(schema: T) {
  return z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);
}

const REPORTED = ['nothing', 'started', 'result'] as const;
const MESSAGE_STATES = ['executing', 'replying', 'done'] as const;

const MessageRowSchema = z.object({
  message_id: z.string(),
  client_id: z.string(),
  platform: CallSourceSchema,
  remote_conversation_id: z.string(),
  local_conversation_id: z.string(),
  ingest_status: IngestStatusSchema,
  target: json(TargetPayloadSchema),
  assistant_message_id: z.string().nullable(),
  block_errors: json(z.array(BlockErrorSchema)),
  state: z.enum(MESSAGE_STATES),
  created_at: z.number().int(),
  /** 1, and one more for each resubmission. */
  round: z.number().int(),
  /** Whether a progress request of this message is in the outbox. */
  progress_pending: z.number().transform((flag) => flag === 1),
});
export type MessageRow = z.infer<typeof MessageRowSchema>;
export type NewMessage = Omit<MessageRow, 'round' | 'progress_pending'>;

const ExecutionRowSchema = z.object({
  instruction_id: z.string(),
  message_id: z.string(),
  idx: z.number().int(),
  name: z.string(),
  params: json(z.record(z.string(), z.unknown())),
  status: InstructionStateSchema,
  gate: z.string().nullable(),
  claim_until: z.number().int().nullable(),
  started_at: z.number().int().nullable(),
  finished_at: z.number().int().nullable(),
  result: json(InstructionResultSchema).nullable(),
  artifact_url: z.string().nullable(),
  /** The last part of it that a request to the edge carries. */
  reported: z.enum(REPORTED),
  /** What a person approved. The effect happens only while the call still has this hash. */
  approved_hash: z.string().nullable(),
  /** Whether the edge was asked to run it, there or on another node. */
  is_remote: z.number().transform((flag) => flag === 1),
  /** The program that runs for it. */
  process: json(RunningProcessSchema).nullable(),
  /** Of one that asks a person: null until it is described. */
  asked_seq: z.number().int().nullable(),
  asked_at: z.number().int().nullable(),
});

/** When a question was asked, among the ends of executions and by this node's clock. */
export interface AskedAfter {
  asked_seq: number;
  asked_at: number;
}

const EffectRowSchema = z.object({
  instruction_id: z.string(),
  name: z.string(),
  params: json(z.record(z.string(), z.unknown())),
});
export type ExecutionRow = z.infer<typeof ExecutionRowSchema>;
export type NewExecution = Pick<
  ExecutionRow,
  'instruction_id' | 'message_id' | 'idx' | 'name' | 'params' | 'status' | 'gate' | 'claim_until'
> &
  Partial<AskedAfter>;

/** The status of an instruction at the edge. */
export type EdgeStatus = Pick<ClaimedInstruction, 'status' | 'gate' | 'claim_expires_in_ms'>;

/** When a claim ends, by this node's clock; null for a claim without an end. */
export function claimDeadline(now: number, expiresInMs: number | null): number | null {
  return expiresInMs === null ? null : now + expiresInMs;
}

const IdRowSchema = z.object({ id: z.string() });
const SeqRowSchema = z.object({ seq: z.number().int() });
const LAST_ENDED = '(SELECT coalesce(max(ended_seq), 0) FROM executions)';

function rowOf({
  params,
  asked_seq = null,
  asked_at = null,
  ...rest
}: Omit<NewExecution, keyof AskedAfter> & {
  asked_seq?: number | null;
  asked_at?: number | null;
}) {
  return { ...rest, asked_seq, asked_at, params: JSON.stringify(params) };
}

/** Methods that store several rows are called inside a transaction. */
export class ExecutionStore {
  readonly #insertMessage: StatementSync;
  readonly #insertExecution: StatementSync;
  readonly #message: StatementSync;
  readonly #executingMessages: StatementSync;
  readonly #executions: StatementSync;
  readonly #execution: StatementSync;
  readonly #setMessageState: StatementSync;
  readonly #start: StatementSync;
  readonly #setResult: StatementSync;
  readonly #end: StatementSync;
  readonly #setStatus: StatementSync;
  readonly #extendClaim: StatementSync;
  readonly #setReported: StatementSync;
  readonly #setProgressPending: StatementSync;
  readonly #reopenMessage: StatementSync;
  readonly #reopenExecution: StatementSync;
  readonly #approve: StatementSync;
  readonly #setAsked: StatementSync;
  readonly #setProcess: StatementSync;
  readonly #awaitedRemote: StatementSync;
  readonly #lastEnded: StatementSync;
  readonly #effectsSince: StatementSync;

  constructor(db: DatabaseSync) {
    const insertExecution = `INSERT INTO executions
       (instruction_id, message_id, idx, name, params, status, gate, claim_until, asked_seq, asked_at)
       VALUES (:instruction_id, :message_id, :idx, :name, :params, :status, :gate, :claim_until, :asked_seq, :asked_at)`;
    this.#insertMessage = db.prepare(
      `INSERT INTO messages (message_id, client_id, platform, remote_conversation_id, local_conversation_id,
         ingest_status, target, assistant_message_id, block_errors, state, created_at)
       VALUES (:message_id, :client_id, :platform, :remote_conversation_id, :local_conversation_id,
         :ingest_status, :target, :assistant_message_id, :block_errors, :state, :created_at)
       ON CONFLICT (message_id) DO NOTHING`,
    );
    this.#insertExecution = db.prepare(insertExecution);
    this.#message = db.prepare('SELECT * FROM messages WHERE message_id = ?');
    this.#executingMessages = db.prepare(
      "SELECT message_id AS id FROM messages WHERE state = 'executing' ORDER BY rowid",
    );
    this.#executions = db.prepare('SELECT * FROM executions WHERE message_id = ? ORDER BY idx');
    this.#execution = db.prepare('SELECT * FROM executions WHERE instruction_id = ?');
    this.#setMessageState = db.prepare('UPDATE messages SET state = ? WHERE message_id = ?');
    this.#start = db.prepare(
      `UPDATE executions SET status = 'running', started_at = ?, is_remote = ?
       WHERE instruction_id = ? AND started_at IS NULL`,
    );
    this.#setResult = db.prepare(
      `UPDATE executions SET finished_at = ?, result = ?, ended_seq = ${LAST_ENDED} + 1 WHERE instruction_id = ?`,
    );
    this.#end = db.prepare('UPDATE executions SET status = ?, artifact_url = ? WHERE instruction_id = ?');
    this.#setStatus = db.prepare(
      // Only this node knows the rule that denied an instruction, so the same status without a gate keeps the gate.
      `UPDATE executions SET gate = CASE WHEN status = :status THEN coalesce(:gate, gate) ELSE :gate END,
         status = :status, claim_until = :claim_until, finished_at = coalesce(finished_at, :finished_at)
       WHERE instruction_id = :instruction_id AND started_at IS NULL AND result IS NULL
         AND NOT (approved_hash IS NOT NULL AND :status IN ('waiting', 'awaiting_approval'))`,
    );
    this.#extendClaim = db.prepare('UPDATE executions SET claim_until = ? WHERE instruction_id = ?');
    this.#setReported = db.prepare('UPDATE executions SET reported = ? WHERE instruction_id = ?');
    this.#setProgressPending = db.prepare('UPDATE messages SET progress_pending = ? WHERE message_id = ?');
    this.#reopenMessage = db.prepare(
      `UPDATE messages SET state = 'executing', round = round + 1, client_id = ?, target = ?, ingest_status = ?
       WHERE message_id = ?`,
    );
    this.#reopenExecution = db.prepare(
      `${insertExecution} ON CONFLICT (instruction_id) DO UPDATE
         SET status = excluded.status, gate = excluded.gate, claim_until = excluded.claim_until, approved_hash = NULL,
             asked_seq = excluded.asked_seq, asked_at = excluded.asked_at
         WHERE started_at IS NULL AND result IS NULL`,
    );
    this.#approve = db.prepare(
      `UPDATE executions SET status = 'claimed', gate = NULL, claim_until = ?, approved_hash = ?
       WHERE instruction_id = ? AND status IN ('waiting', 'awaiting_approval') AND started_at IS NULL`,
    );
    this.#setAsked = db.prepare(
      `UPDATE executions SET asked_seq = ?, asked_at = ? WHERE instruction_id = ? AND status = 'awaiting_approval'`,
    );
    this.#setProcess = db.prepare('UPDATE executions SET process = ? WHERE instruction_id = ?');
    this.#awaitedRemote = db.prepare(
      `SELECT e.instruction_id AS id FROM executions e JOIN messages m ON m.message_id = e.message_id
       WHERE m.state = 'executing' AND e.is_remote = 1 AND e.result IS NULL`,
    );
    this.#lastEnded = db.prepare(`SELECT ${LAST_ENDED} AS seq`);
    this.#effectsSince = db.prepare(
      `SELECT instruction_id, name, params FROM executions
       WHERE ended_seq > :seq AND started_at IS NOT NULL AND is_remote = 0 AND result->>'status' <> 'denied'
       UNION ALL
       SELECT instruction_id, name, params FROM executions
       WHERE started_at IS NOT NULL AND result IS NULL AND is_remote = 0`,
    );
  }

  /** Stores a message with its instructions; false, and nothing stored, when the message is known. */
  add(message: NewMessage, executions: readonly NewExecution[]): boolean {
    const { target, block_errors } = message;
    const row = { ...message, target: JSON.stringify(target), block_errors: JSON.stringify(block_errors) };
    if (Number(this.#insertMessage.run(row).changes) === 0) return false;
    for (const one of executions) this.#insertExecution.run(rowOf(one));
    return true;
  }

  /** Stores a resubmitted message, known or not, with those of its instructions that are to run after all. */
  reopen(message: NewMessage, executions: readonly NewExecution[]): void {
    const { client_id, target, ingest_status, message_id } = message;
    if (!this.add(message, [])) {
      this.#reopenMessage.run(client_id, JSON.stringify(target), ingest_status, message_id);
    }
    for (const one of executions) this.#reopenExecution.run(rowOf(one));
  }

  message(messageId: string): MessageRow | null {
    const row = this.#message.get(messageId);
    return row === undefined ? null : MessageRowSchema.parse(row);
  }

  /** Ids of the messages whose reply is not queued yet, oldest first. */
  executingMessages(): string[] {
    return this.#executingMessages.all().map((row) => IdRowSchema.parse(row).id);
  }

  /** The executions of a message, in message order. */
  executions(messageId: string): ExecutionRow[] {
    return this.#executions.all(messageId).map((row) => ExecutionRowSchema.parse(row));
  }

  execution(instructionId: string): ExecutionRow | null {
    const row = this.#execution.get(instructionId);
    return row === undefined ? null : ExecutionRowSchema.parse(row);
  }

  setMessageState(messageId: string, state: MessageRow['state']): void {
    this.#setMessageState.run(state, messageId);
  }

  /** Sets the mark that comes before the effect. False when it is set already. */
  start(instructionId: string, now: number, isRemote = false): boolean {
    return Number(this.#start.run(now, isRemote ? 1 : 0, instructionId).changes) === 1;
  }

  /** Stores the result. The status stays `running` until the edge has responded to it. */
  setResult(instructionId: string, result: InstructionResult, now: number): void {
    this.#setResult.run(now, JSON.stringify(result), instructionId);
  }

  /** The status with which the edge ended the instruction, and the link to its output when the edge stores it apart. */
  end(instructionId: string, status: InstructionState, artifactUrl: string | null): void {
    this.#end.run(status, artifactUrl, instructionId);
  }

  /**
   * Takes over the status at the edge, unless the instruction has started here or has a result. One that a person has
   * approved waits no more: a response that says so was made before.
   */
  setStatus(instructionId: string, { status, gate, claim_expires_in_ms }: EdgeStatus, now: number): void {
    const claim_until = claimDeadline(now, claim_expires_in_ms);
    // One that was denied has ended without a start.
    const finished_at = isFinalStatus(status) ? now : null;
    this.#setStatus.run({ instruction_id: instructionId, status, gate, claim_until, finished_at });
  }

  /**
   * Stores a person's approval, which may arrive before the response that says that the instruction waits for one. False
   * when the instruction does not wait.
   */
  approve(instructionId: string, approvedHash: string, claimUntil: number | null): boolean {
    return Number(this.#approve.run(claimUntil, approvedHash, instructionId).changes) === 1;
  }

  /** A person is asked about it, by a description that was begun then. */
  setAsked(instructionId: string, { asked_seq, asked_at }: AskedAfter): void {
    this.#setAsked.run(asked_seq, asked_at, instructionId);
  }

  setProcess(instructionId: string, running: RunningProcess): void {
    this.#setProcess.run(JSON.stringify(running), instructionId);
  }

  /** How many executions have ended on this node: what ends later has a higher number. */
  lastEnded(): number {
    return SeqRowSchema.parse(this.#lastEnded.get()).seq;
  }

  /** The calls whose effects on this host may have happened since that number, those that still run included. */
  effectsSince(seq: number): z.infer<typeof EffectRowSchema>[] {
    return this.#effectsSince.all({ seq }).map((row) => EffectRowSchema.parse(row));
  }

  /** Ids of the instructions that the edge was asked to run and whose result is still to come. */
  awaitedRemote(): string[] {
    return this.#awaitedRemote.all().map((row) => IdRowSchema.parse(row).id);
  }

  setReported(instructionId: string, reported: Exclude<ExecutionRow['reported'], 'nothing'>): void {
    this.#setReported.run(reported, instructionId);
  }

  setProgressPending(messageId: string, isPending: boolean): void {
    this.#setProgressPending.run(isPending ? 1 : 0, messageId);
  }

  extendClaim(instructionId: string, claimUntil: number | null): void {
    this.#extendClaim.run(claimUntil, instructionId);
  }
}
