/**
 * The table `deliveries`: what waits, what is being sent, and what was answered, by `plan_id`. Every question that a
 * wake asks is answered from an index: it costs the same with ten queued deliveries as with ten thousand.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { DeliveryResultSchema } from '../../schema/contracts/renewal.ts';
import type { DeliveryKind } from './choose.ts';
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
  updated_at: z.number().int(),
  attempt: z.number().int(),
  result: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : DeliveryResultSchema.parse(JSON.parse(text)))),
});
export type DeliveryRow = z.infer<typeof DeliveryRowSchema>;

export type NewDelivery = Omit<DeliveryRow, 'state' | 'attempt' | 'result' | 'updated_at'>;

const TimeRow = z.object({ at: z.number().int().nullable() });
const SlotRow = z.object({ client_id: z.string(), platform: PlatformSchema });
export type SlotKey = z.infer<typeof SlotRow>;
const CountRow = z.object({ client_id: z.string(), platform: PlatformSchema, n: z.number().int() });

export class Deliveries {
  /** Kept in memory, so that a wake does not look for them; one that is empty again is dropped. */
  readonly #slots = new Map<string, SlotKey>();
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #overdue: StatementSync;
  readonly #head: StatementSync;
  readonly #renewalsBefore: StatementSync;
  readonly #holds: StatementSync;
  readonly #nextTime: StatementSync;
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
    const queued = `SELECT ${waiting} FROM deliveries WHERE state = 'queued'`;
    const ofSlot = 'client_id = ? AND platform = ? AND kind = ?';
    this.#overdue = db.prepare(`${queued} AND deadline_at <= ? ORDER BY deadline_at LIMIT ?`);
    this.#head = db.prepare(
      `${queued} AND ${ofSlot} AND next_at <= ?
         AND (conversation_id IS NULL OR conversation_id NOT IN (SELECT value FROM json_each(?)))
       ORDER BY deadline_at, plan_id LIMIT 1`,
    );
    this.#renewalsBefore = db.prepare(`${queued} AND ${ofSlot} AND deadline_at < ? ORDER BY deadline_at LIMIT ?`);
    this.#holds = db.prepare(
      "SELECT 1 FROM deliveries WHERE state = 'queued' AND client_id = ? AND platform = ? LIMIT 1",
    );
    this.#nextTime = db.prepare(
      `SELECT min(at) AS at FROM (
         SELECT min(deadline_at) AS at FROM deliveries WHERE state = 'queued'
         UNION ALL SELECT min(next_at) FROM deliveries WHERE state = 'queued' AND next_at > ?)`,
    );
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
    const slots = db.prepare("SELECT DISTINCT client_id, platform FROM deliveries WHERE state = 'queued'").all();
    for (const row of slots) this.#noteSlot(SlotRow.parse(row));
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
    this.#noteSlot(delivery);
    return Number(changes) === 1;
  }

  find(planId: string): DeliveryRow | null {
    const row = this.#find.get(planId);
    return row === undefined ? null : DeliveryRowSchema.parse(row);
  }

  /** Browsers and platforms for which something may be queued. */
  queuedSlots(): SlotKey[] {
    for (const [key, { client_id, platform }] of this.#slots) {
      if (this.#holds.get(client_id, platform) === undefined) this.#slots.delete(key);
    }
    return [...this.#slots.values()];
  }

  /** What is queued and past its deadline. */
  overdue(now: number, limit: number): WaitingRow[] {
    return this.#overdue.all(now, limit).map((row) => WaitingRowSchema.parse(row));
  }

  /** The first of that kind that is due and whose conversation is none of `busy`; null when there is none. */
  head({ client_id, platform }: SlotKey, kind: DeliveryKind, now: number, busy: readonly string[]): WaitingRow | null {
    const row = this.#head.get(client_id, platform, kind, now, JSON.stringify(busy));
    return row === undefined ? null : WaitingRowSchema.parse(row);
  }

  /** Queued renewals of a slot whose deadline is before that time. */
  renewalsBefore({ client_id, platform }: SlotKey, time: number, limit: number): WaitingRow[] {
    return this.#renewalsBefore
      .all(client_id, platform, 'renewal', time, limit)
      .map((row) => WaitingRowSchema.parse(row));
  }

  /** When the next of the queued becomes due or too late, whatever else blocks it; null without any. */
  nextTime(now: number): number | null {
    return TimeRow.parse(this.#nextTime.get(now)).at;
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
    const row = this.find(planId);
    if (row) this.#noteSlot(row);
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

  #noteSlot({ client_id, platform }: SlotKey): void {
    this.#slots.set(`${client_id} ${platform}`, { client_id, platform });
  }

  queuedCounts(): z.infer<typeof CountRow>[] {
    return this.#queuedCounts.all().map((row) => CountRow.parse(row));
  }
}
