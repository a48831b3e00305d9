/** The table `deliveries`: what waits, what is being sent, and what was answered, by `plan_id`. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { DeliveryResultSchema } from '../../schema/contracts/renewal.ts';
import { DELIVERY_KINDS } from './choose.ts';

const WaitingRowSchema = z.object({
  plan_id: z.string(),
  kind: z.enum(DELIVERY_KINDS),
  client_id: z.string(),
  platform: PlatformSchema,
  conversation_id: z.string().nullable(),
  created_at: z.number().int(),
  next_at: z.number().int(),
  deadline_at: z.number().int(),
});
export type WaitingRow = z.infer<typeof WaitingRowSchema>;

const DeliveryRowSchema = WaitingRowSchema.extend({
  subject_id: z.string(),
  target: z.string().transform((text) => TargetPayloadSchema.parse(JSON.parse(text))),
  message_text: z.string(),
  assistant_message_id: z.string().nullable(),
  timeout_ms: z.number().int(),
  state: z.enum(['queued', 'sending', 'ended']),
  attempt: z.number().int(),
  result: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : DeliveryResultSchema.parse(JSON.parse(text)))),
});
export type DeliveryRow = z.infer<typeof DeliveryRowSchema>;

export type NewDelivery = Omit<DeliveryRow, 'state' | 'attempt' | 'result'>;

const CountRow = z.object({ client_id: z.string(), platform: PlatformSchema, n: z.number().int() });

export class Deliveries {
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #queued: StatementSync;
  readonly #sending: StatementSync;
  readonly #markSending: StatementSync;
  readonly #requeue: StatementSync;
  readonly #end: StatementSync;
  readonly #setSubject: StatementSync;
  readonly #messageReplied: StatementSync;
  readonly #forget: StatementSync;
  readonly #queuedCounts: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      `INSERT INTO deliveries (plan_id, kind, subject_id, platform, client_id, conversation_id, target, message_text,
         assistant_message_id, timeout_ms, state, attempt, next_at, deadline_at, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?, ?, ?)
       ON CONFLICT (plan_id) DO NOTHING`,
    );
    this.#find = db.prepare('SELECT * FROM deliveries WHERE plan_id = ?');
    const waiting = 'plan_id, kind, client_id, platform, conversation_id, created_at, next_at, deadline_at';
    this.#queued = db.prepare(`SELECT ${waiting} FROM deliveries WHERE state = 'queued'`);
    this.#sending = db.prepare("SELECT plan_id FROM deliveries WHERE state = 'sending'");
    this.#markSending = db.prepare(
      `UPDATE deliveries SET state = 'sending', attempt = attempt + 1, deadline_at = ?, updated_at = ?
       WHERE plan_id = ? AND state = 'queued'`,
    );
    this.#requeue = db.prepare(
      `UPDATE deliveries SET state = 'queued', attempt = ?, next_at = ?, deadline_at = ?, outcome = ?, result = ?,
         updated_at = ? WHERE plan_id = ?`,
    );
    this.#end = db.prepare(
      "UPDATE deliveries SET state = 'ended', outcome = ?, result = ?, updated_at = ? WHERE plan_id = ?",
    );
    this.#setSubject = db.prepare('UPDATE deliveries SET subject_id = ?, updated_at = ? WHERE plan_id = ?');
    this.#messageReplied = db.prepare("UPDATE messages SET state = 'done' WHERE message_id = ?");
    this.#forget = db.prepare("DELETE FROM deliveries WHERE state = 'ended' AND updated_at < ?");
    this.#queuedCounts = db.prepare(
      "SELECT client_id, platform, count(*) AS n FROM deliveries WHERE state = 'queued' GROUP BY client_id, platform",
    );
  }

  /** Queues it; false when that plan is known already, whatever became of it. */
  add(delivery: NewDelivery): boolean {
    const { changes } = this.#insert.run(
      delivery.plan_id,
      delivery.kind,
      delivery.subject_id,
      delivery.platform,
      delivery.client_id,
      delivery.conversation_id,
      JSON.stringify(delivery.target),
      delivery.message_text,
      delivery.assistant_message_id,
      delivery.timeout_ms,
      delivery.next_at,
      delivery.deadline_at,
      delivery.created_at,
      delivery.created_at,
    );
    return Number(changes) === 1;
  }

  find(planId: string): DeliveryRow | null {
    const row = this.#find.get(planId);
    return row === undefined ? null : DeliveryRowSchema.parse(row);
  }

  queued(): WaitingRow[] {
    return this.#queued.all().map((row) => WaitingRowSchema.parse(row));
  }

  /** Plans that were being sent, such as when the agent died. */
  sending(): string[] {
    return this.#sending.all().map((row) => z.object({ plan_id: z.string() }).parse(row).plan_id);
  }

  /** The mark that is set before anything is sent; counts the attempt. */
  markSending(planId: string, deadlineAt: number, now: number): void {
    this.#markSending.run(deadlineAt, now, planId);
  }

  requeue(
    planId: string,
    next: { attempt: number; nextAt: number; deadlineAt: number; result: DeliveryResult | null },
    now: number,
  ): void {
    const result = next.result === null ? null : JSON.stringify(next.result);
    this.#requeue.run(next.attempt, next.nextAt, next.deadlineAt, next.result?.outcome ?? null, result, now, planId);
  }

  end(planId: string, outcome: string, result: DeliveryResult, now: number): void {
    this.#end.run(outcome, JSON.stringify(result), now, planId);
  }

  /** The command that a renewal's answer goes to. */
  setSubject(planId: string, subjectId: string, now: number): void {
    this.#setSubject.run(subjectId, now, planId);
  }

  /** The message of a reply that has ended is done with. */
  messageReplied(messageId: string): void {
    this.#messageReplied.run(messageId);
  }

  /** Deletes what was answered before that time. */
  forgetBefore(time: number): void {
    this.#forget.run(time);
  }

  queuedCounts(): z.infer<typeof CountRow>[] {
    return this.#queuedCounts.all().map((row) => CountRow.parse(row));
  }
}
