/** The tables `messages` and `executions`: what this host holds of each message, and how far each instruction is. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { BlockErrorSchema, IngestStatusSchema, InstructionStateSchema } from '../../schema/contracts/instructions.ts';
import type { InstructionResult } from './tools/tool.ts';
import { InstructionResultSchema } from './tools/tool.ts';

function json<T extends z.ZodType>(schema: T) {
  return z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);
}

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
});
export type MessageRow = z.infer<typeof MessageRowSchema>;

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
});
export type ExecutionRow = z.infer<typeof ExecutionRowSchema>;
export type NewExecution = Omit<ExecutionRow, 'started_at' | 'finished_at' | 'result' | 'artifact_url'>;

export interface Standing {
  status: InstructionState;
  gate: string | null;
  claimUntil: number | null;
}

const IdRow = z.object({ message_id: z.string() });

export class Ledger {
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
      "UPDATE executions SET status = 'running', started_at = ? WHERE instruction_id = ? AND started_at IS NULL",
    );
    this.#finish = db.prepare('UPDATE executions SET finished_at = ?, result = ? WHERE instruction_id = ?');
    this.#settle = db.prepare('UPDATE executions SET status = ?, artifact_url = ? WHERE instruction_id = ?');
    this.#stand = db.prepare(
      `UPDATE executions SET status = ?, gate = ?, claim_until = ?
       WHERE instruction_id = ? AND started_at IS NULL AND result IS NULL`,
    );
    this.#extend = db.prepare('UPDATE executions SET claim_until = ? WHERE instruction_id = ?');
  }

  /** Stores a message with its instructions; false, and nothing stored, when it is known. In one transaction. */
  add(message: MessageRow, executions: readonly NewExecution[]): boolean {
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
    for (const { instruction_id, message_id, idx, name, params, status, gate, claim_until } of executions) {
      this.#insertExecution.run(
        instruction_id,
        message_id,
        idx,
        name,
        JSON.stringify(params),
        status,
        gate,
        claim_until,
      );
    }
    return true;
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
  start(instructionId: string, now: number): boolean {
    return Number(this.#start.run(now, instructionId).changes) === 1;
  }

  /** Keeps the result. The status follows when the edge has answered to it. */
  finish(instructionId: string, result: InstructionResult, now: number): void {
    this.#finish.run(now, JSON.stringify(result), instructionId);
  }

  settle(instructionId: string, status: InstructionState, artifactUrl: string | null): void {
    this.#settle.run(status, artifactUrl, instructionId);
  }

  /** How an instruction stands at the edge; one that has begun here, or has a result, is left as it is. */
  stand(instructionId: string, { status, gate, claimUntil }: Standing): void {
    this.#stand.run(status, gate, claimUntil, instructionId);
  }

  extendClaim(instructionId: string, claimUntil: number | null): void {
    this.#extend.run(claimUntil, instructionId);
  }
}
