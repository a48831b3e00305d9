/** The tables `messages` and `executions`: what this host holds of each message, and how far each instruction is. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { BlockErrorSchema, IngestStatusSchema, InstructionStateSchema } from '../../schema/contracts/instructions.ts';
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
  platform: PlatformSchema,
  remote_conversation_id: z.string(),
  local_conversation_id: z.string(),
  ingest_status: IngestStatusSchema,
  target: json(TargetPayloadSchema),
  assistant_message_id: z.string().nullable(),
  block_errors: json(z.array(BlockErrorSchema)),
  state: z.enum(MESSAGE_STATES),
  created_at: z.number().int(),
  /** How often it was worked on: more than once when it was resubmitted. */
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
  result: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : InstructionResultSchema.parse(JSON.parse(text)))),
  artifact_url: z.string().nullable(),
  /** The last part of it that a request to the edge carries. */
  reported: z.enum(REPORTED),
  /** What a person approved; the effect happens only while it still has this hash. */
  approved_hash: z.string().nullable(),
  /** Whether the edge was asked to do it, or to have another node do it. */
  elsewhere: z.number().transform((flag) => flag === 1),
  /** The program that runs for it. */
  process: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : RunningProcessSchema.parse(JSON.parse(text)))),
});
export type ExecutionRow = z.infer<typeof ExecutionRowSchema>;
export type NewExecution = Pick<
  ExecutionRow,
  'instruction_id' | 'message_id' | 'idx' | 'name' | 'params' | 'status' | 'gate' | 'claim_until'
>;

export interface TrackedInstruction {
  status: InstructionState;
  gate: string | null;
  claimUntil: number | null;
}

const IdRow = z.object({ message_id: z.string() });

export class ExecutionStore {
  readonly #insertMessage: StatementSync;
  readonly #insertExecution: StatementSync;
  readonly #message: StatementSync;
  readonly #executing: StatementSync;
  readonly #executions: StatementSync;
  readonly #execution: StatementSync;
  readonly #setState: StatementSync;
  readonly #start: StatementSync;
  readonly #finish: StatementSync;
  readonly #settle: StatementSync;
  readonly #stand: StatementSync;
  readonly #extend: StatementSync;
  readonly #setReported: StatementSync;
  readonly #setProgressPending: StatementSync;
  readonly #reopen: StatementSync;
  readonly #stage: StatementSync;
  readonly #approve: StatementSync;
  readonly #setProcess: StatementSync;
  readonly #elsewhere: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insertMessage = db.prepare(
      `INSERT INTO messages (message_id, client_id, platform, remote_conversation_id, local_conversation_id,
         ingest_status, target, assistant_message_id, block_errors, state, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING`,
    );
    this.#insertExecution = db.prepare(
      `INSERT INTO executions (instruction_id, message_id, idx, name, params, status, gate, claim_until)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#message = db.prepare('SELECT * FROM messages WHERE message_id = ?');
    this.#executing = db.prepare("SELECT message_id FROM messages WHERE state = 'executing' ORDER BY rowid");
    this.#executions = db.prepare('SELECT * FROM executions WHERE message_id = ? ORDER BY idx');
    this.#execution = db.prepare('SELECT * FROM executions WHERE instruction_id = ?');
    this.#setState = db.prepare('UPDATE messages SET state = ? WHERE message_id = ?');
    this.#start = db.prepare(
      `UPDATE executions SET status = 'running', started_at = ?, elsewhere = ?
       WHERE instruction_id = ? AND started_at IS NULL`,
    );
    this.#finish = db.prepare('UPDATE executions SET finished_at = ?, result = ? WHERE instruction_id = ?');
    this.#settle = db.prepare('UPDATE executions SET status = ?, artifact_url = ? WHERE instruction_id = ?');
    this.#stand = db.prepare(
      // The rule that denied it is known here only: no news of the edge's takes it away.
      `UPDATE executions SET gate = CASE WHEN status = ?1 THEN coalesce(?2, gate) ELSE ?2 END,
         status = ?1, claim_until = ?3
       WHERE instruction_id = ?4 AND started_at IS NULL AND result IS NULL`,
    );
    this.#extend = db.prepare('UPDATE executions SET claim_until = ? WHERE instruction_id = ?');
    this.#setReported = db.prepare('UPDATE executions SET reported = ? WHERE instruction_id = ?');
    this.#setProgressPending = db.prepare('UPDATE messages SET progress_pending = ? WHERE message_id = ?');
    this.#reopen = db.prepare(
      `UPDATE messages SET state = 'executing', round = round + 1, client_id = ?, target = ?, ingest_status = ?
       WHERE message_id = ?`,
    );
    this.#stage = db.prepare(
      `INSERT INTO executions (instruction_id, message_id, idx, name, params, status, gate, claim_until)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (instruction_id) DO UPDATE
         SET status = excluded.status, gate = excluded.gate, claim_until = excluded.claim_until, approved_hash = NULL
         WHERE started_at IS NULL AND result IS NULL`,
    );
    this.#approve = db.prepare(
      `UPDATE executions SET status = 'claimed', gate = NULL, claim_until = ?, approved_hash = ?
       WHERE instruction_id = ? AND status = 'awaiting_approval' AND started_at IS NULL`,
    );
    this.#setProcess = db.prepare('UPDATE executions SET process = ? WHERE instruction_id = ?');
    this.#elsewhere = db.prepare(
      `SELECT e.instruction_id FROM executions e JOIN messages m ON m.message_id = e.message_id
       WHERE m.state = 'executing' AND e.elsewhere = 1 AND e.result IS NULL`,
    );
  }

  /** Stores a message with its instructions; false, and nothing stored, when it is known. In one transaction. */
  add(message: NewMessage, executions: readonly NewExecution[]): boolean {
    const { changes } = this.#insertMessage.run(
      message.message_id,
      message.client_id,
      message.platform,
      message.remote_conversation_id,
      message.local_conversation_id,
      message.ingest_status,
      JSON.stringify(message.target),
      message.assistant_message_id,
      JSON.stringify(message.block_errors),
      message.state,
      message.created_at,
    );
    if (Number(changes) === 0) return false;
    for (const one of executions) this.#run(this.#insertExecution, one);
    return true;
  }

  /** Takes a message up again, with those of its instructions that a person wants after all. In one transaction. */
  reopen(message: NewMessage, executions: readonly NewExecution[]): void {
    if (!this.add(message, [])) {
      this.#reopen.run(message.client_id, JSON.stringify(message.target), message.ingest_status, message.message_id);
    }
    for (const one of executions) this.#run(this.#stage, one);
  }

  #run(statement: StatementSync, one: NewExecution): void {
    const { instruction_id, message_id, idx, name, params, status, gate, claim_until } = one;
    statement.run(instruction_id, message_id, idx, name, JSON.stringify(params), status, gate, claim_until);
  }

  message(messageId: string): MessageRow | null {
    const row = this.#message.get(messageId);
    return row === undefined ? null : MessageRowSchema.parse(row);
  }

  /** Messages whose instructions have not all ended, oldest first. */
  executing(): string[] {
    return this.#executing.all().map((row) => IdRow.parse(row).message_id);
  }

  /** In message order. */
  executions(messageId: string): ExecutionRow[] {
    return this.#executions.all(messageId).map((row) => ExecutionRowSchema.parse(row));
  }

  execution(instructionId: string): ExecutionRow | null {
    const row = this.#execution.get(instructionId);
    return row === undefined ? null : ExecutionRowSchema.parse(row);
  }

  setState(messageId: string, state: MessageRow['state']): void {
    this.#setState.run(state, messageId);
  }

  /** The mark before the effect. False when it stands already. */
  start(instructionId: string, now: number, elsewhere = false): boolean {
    return Number(this.#start.run(now, elsewhere ? 1 : 0, instructionId).changes) === 1;
  }

  /** Keeps the result. The status follows when the edge has answered to it. */
  finish(instructionId: string, result: InstructionResult, now: number): void {
    this.#finish.run(now, JSON.stringify(result), instructionId);
  }

  settle(instructionId: string, status: InstructionState, artifactUrl: string | null): void {
    this.#settle.run(status, artifactUrl, instructionId);
  }

  /** How an instruction stands at the edge; one that has begun here, or has a result, is left as it is. */
  stand(instructionId: string, { status, gate, claimUntil }: TrackedInstruction): void {
    this.#stand.run(status, gate, claimUntil, instructionId);
  }

  /** A person has approved it. False when it does not wait for that any more. */
  approve(instructionId: string, approvedHash: string, claimUntil: number | null): boolean {
    return Number(this.#approve.run(claimUntil, approvedHash, instructionId).changes) === 1;
  }

  setProcess(instructionId: string, running: RunningProcess): void {
    this.#setProcess.run(JSON.stringify(running), instructionId);
  }

  /** Instructions that the edge was asked to do, or have done, and whose end is awaited. */
  awaitedElsewhere(): string[] {
    return this.#elsewhere.all().map((row) => z.object({ instruction_id: z.string() }).parse(row).instruction_id);
  }

  setReported(instructionId: string, reported: Exclude<ExecutionRow['reported'], 'nothing'>): void {
    this.#setReported.run(reported, instructionId);
  }

  setProgressPending(messageId: string, isPending: boolean): void {
    this.#setProgressPending.run(isPending ? 1 : 0, messageId);
  }

  extendClaim(instructionId: string, claimUntil: number | null): void {
    this.#extend.run(claimUntil, instructionId);
  }
}
