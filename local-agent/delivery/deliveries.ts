/**
 * The table `deliveries`: queued, sending and ended deliveries by `plan_id`. Every query of a scheduler run is answered
 * from an index, so it costs the same with ten queued deliveries as with ten thousand.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { DELIVERY_KINDS, DeliveryResultSchema } from '../../schema/contracts/renewal.ts';
import type { DeliveryState } from './delivery-machine.ts';
import { DELIVERY_STATES, requireTransition } from './delivery-machine.ts';

const QueuedRowSchema = z.object({
  plan_id: z.string(),
  kind: z.enum(DELIVERY_KINDS),
  client_id: z.string(),
  platform: PlatformSchema,
  conversation_id: z.string().nullable(),
  created_at: z.number().int(),
  next_at: z.number().int(),
  deadline_at: z.number().int(),
});
export type QueuedRow = z.infer<typeof QueuedRowSchema>;

const FullRowSchema = QueuedRowSchema.extend({
  subject_id: z.string(),
  target: z.string().transform((text) => TargetPayloadSchema.parse(JSON.parse(text))),
  message_text: z.string(),
  assistant_message_id: z.string().nullable(),
  timeout_ms: z.number().int(),
  state: z.enum(DELIVERY_STATES),
  updated_at: z.number().int(),
  attempt: z.number().int(),
  /** How it ended; of a reply also `given_up`, which no browser reports. */
  outcome: z.string().nullable(),
  result: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : DeliveryResultSchema.parse(JSON.parse(text)))),
});
/** What `subject_id` names, and so who gets the outcome. */
const SubjectSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reply'), subject_kind: z.literal('message') }),
  /** The newest command that asked for it. */
  z.object({ kind: z.literal('renewal'), subject_kind: z.literal('command') }),
  /** An instruction of this node, or a command of the edge. */
  z.object({ kind: z.literal('prompt'), subject_kind: z.enum(['instruction', 'command']) }),
]);
const DeliveryRowSchema = FullRowSchema.and(SubjectSchema);
export type DeliveryRow = z.infer<typeof DeliveryRowSchema>;

/** A message to send into a chat, as a caller queues it. */
export type OutgoingMessage = Pick<
  DeliveryRow,
  | 'plan_id'
  | 'subject_id'
  | 'platform'
  | 'client_id'
  | 'conversation_id'
  | 'target'
  | 'message_text'
  | 'assistant_message_id'
  | 'timeout_ms'
>;
export type NewDelivery = OutgoingMessage & z.infer<typeof SubjectSchema> & Pick<DeliveryRow, 'deadline_at'>;

const WaitingRowSchema = QueuedRowSchema.extend({ attempt: z.number().int() });
export type WaitingRow = z.infer<typeof WaitingRowSchema>;

const TimeRow = z.object({ at: z.number().int().nullable() });
const PlanRow = z.object({ plan_id: z.string() });
const SlotRow = z.object({ client_id: z.string(), platform: PlatformSchema });
/** A browser and a platform. */
export type SlotKey = z.infer<typeof SlotRow>;
const CountRow = SlotRow.extend({ n: z.number().int() });

interface Conversation {
  platform: SlotKey['platform'];
  conversation_id: string;
}

/** What a move changes besides the state. */
type Change = Partial<Pick<DeliveryRow, 'attempt' | 'next_at' | 'deadline_at' | 'outcome' | 'result'>>;
export type Requeue = Pick<DeliveryRow, 'attempt' | 'next_at' | 'deadline_at' | 'result'>;

const QUEUED_COLUMNS = 'plan_id, kind, client_id, platform, conversation_id, created_at, next_at, deadline_at';
const QUEUED = `SELECT ${QUEUED_COLUMNS} FROM deliveries WHERE state = 'queued'`;
const IN_SLOT = "client_id = :client_id AND platform = :platform AND (kind = 'reply') = :is_reply";

export class Deliveries {
  /** Slots that have something queued; in memory, so that a run need not search for them. Empty ones are dropped. */
  readonly #slots = new Map<string, SlotKey>();
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  readonly #overdue: StatementSync;
  readonly #head: StatementSync;
  readonly #impatient: StatementSync;
  readonly #holds: StatementSync;
  readonly #nextTime: StatementSync;
  readonly #ofBrowser: StatementSync;
  readonly #sending: StatementSync;
  readonly #move: StatementSync;
  readonly #setSubject: StatementSync;
  readonly #hasten: StatementSync;
  readonly #finishMessage: StatementSync;
  readonly #forget: StatementSync;
  readonly #queuedCounts: StatementSync;
  readonly #moveTimes: StatementSync;
  readonly #newest: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      `INSERT INTO deliveries (plan_id, kind, subject_kind, subject_id, platform, client_id, conversation_id, target,
         message_text, assistant_message_id, timeout_ms, state, attempt, next_at, deadline_at, created_at, updated_at)
       VALUES (:plan_id, :kind, :subject_kind, :subject_id, :platform, :client_id, :conversation_id, :target,
         :message_text, :assistant_message_id, :timeout_ms, 'queued', 0, :now, :deadline_at, :now, :now)
       ON CONFLICT (plan_id) DO NOTHING`,
    );
    this.#find = db.prepare('SELECT * FROM deliveries WHERE plan_id = ?');
    this.#overdue = db.prepare(`${QUEUED} AND deadline_at <= ? ORDER BY deadline_at LIMIT ?`);
    this.#head = db.prepare(
      `${QUEUED} AND ${IN_SLOT} AND next_at <= :now
         AND (conversation_id IS NULL OR conversation_id NOT IN (SELECT value FROM json_each(:busy)))
       ORDER BY deadline_at, plan_id LIMIT 1`,
    );
    this.#impatient = db.prepare(`${QUEUED} AND ${IN_SLOT} AND deadline_at < :time ORDER BY deadline_at LIMIT :limit`);
    this.#holds = db.prepare(
      "SELECT 1 FROM deliveries WHERE state = 'queued' AND client_id = ? AND platform = ? LIMIT 1",
    );
    this.#nextTime = db.prepare(
      `SELECT min(at) AS at FROM (
         SELECT min(deadline_at) AS at FROM deliveries WHERE state = 'queued'
         UNION ALL SELECT min(next_at) FROM deliveries WHERE state = 'queued' AND next_at > ?)`,
    );
    this.#ofBrowser = db.prepare(
      `SELECT ${QUEUED_COLUMNS}, attempt FROM deliveries WHERE state = 'queued' AND client_id = ?
       ORDER BY platform, kind = 'reply', deadline_at, plan_id LIMIT ?`,
    );
    this.#sending = db.prepare("SELECT plan_id FROM deliveries WHERE state = 'sending'");
    this.#move = db.prepare(
      `UPDATE deliveries SET state = :state, attempt = :attempt, next_at = :next_at, deadline_at = :deadline_at,
         outcome = :outcome, result = :result, updated_at = :updated_at WHERE plan_id = :plan_id`,
    );
    this.#setSubject = db.prepare('UPDATE deliveries SET subject_id = ?, updated_at = ? WHERE plan_id = ?');
    this.#hasten = db.prepare(
      `UPDATE deliveries SET next_at = :now, updated_at = :now WHERE state = 'queued' AND client_id = :client_id
         AND platform = :platform AND conversation_id = :conversation_id AND outcome = 'deferred' AND next_at > :now`,
    );
    this.#finishMessage = db.prepare("UPDATE messages SET state = 'done' WHERE message_id = ?");
    this.#forget = db.prepare("DELETE FROM deliveries WHERE state = 'ended' AND updated_at < ?");
    this.#queuedCounts = db.prepare(
      "SELECT client_id, platform, count(*) AS n FROM deliveries WHERE state = 'queued' GROUP BY client_id, platform",
    );
    // A step forward may be sleep, which counts for deadlines: the edge has given up meanwhile, too.
    this.#moveTimes = db.prepare(
      `UPDATE deliveries SET next_at = next_at + :by, deadline_at = deadline_at + min(0, :by),
         created_at = created_at + min(0, :by), updated_at = updated_at + min(0, :by)
       WHERE state <> 'ended'`,
    );
    this.#newest = db.prepare("SELECT max(updated_at) AS at FROM deliveries WHERE state <> 'ended'");
    const slots = db.prepare("SELECT DISTINCT client_id, platform FROM deliveries WHERE state = 'queued'").all();
    for (const row of slots) this.#noteSlot(SlotRow.parse(row));
  }

  /** Queues a delivery. A plan that is known already is left as it is, in any state. */
  add({ target, ...delivery }: NewDelivery, now: number): void {
    this.#insert.run({ ...delivery, target: JSON.stringify(target), now });
    this.#noteSlot(delivery);
  }

  find(planId: string): DeliveryRow | null {
    const row = this.#find.get(planId);
    return row === undefined ? null : DeliveryRowSchema.parse(row);
  }

  /** Slots that have something queued. */
  queuedSlots(): SlotKey[] {
    for (const [key, { client_id, platform }] of this.#slots) {
      if (this.#holds.get(client_id, platform) === undefined) this.#slots.delete(key);
    }
    return [...this.#slots.values()];
  }

  /** Queued deliveries past their deadline. */
  overdue(now: number, limit: number): QueuedRow[] {
    return this.#overdue.all(now, limit).map((row) => QueuedRowSchema.parse(row));
  }

  /** The first due reply of a slot, or (`is_reply` 0) the first due renewal or prompt, outside busy conversations. */
  head(slot: SlotKey, isReply: boolean, now: number, busy: readonly string[]): QueuedRow | null {
    const { client_id, platform } = slot;
    const row = this.#head.get({ client_id, platform, is_reply: Number(isReply), now, busy: JSON.stringify(busy) });
    return row === undefined ? null : QueuedRowSchema.parse(row);
  }

  /** Queued renewals and prompts of a slot whose deadline is before that time. */
  impatientBefore({ client_id, platform }: SlotKey, time: number, limit: number): QueuedRow[] {
    return this.#impatient
      .all({ client_id, platform, is_reply: 0, time, limit })
      .map((row) => QueuedRowSchema.parse(row));
  }

  /** Queued deliveries of a browser, in the order of the index: of a platform, the first deadline first. */
  queuedOf(clientId: string, limit: number): WaitingRow[] {
    return this.#ofBrowser.all(clientId, limit).map((row) => WaitingRowSchema.parse(row));
  }

  /** When the next queued delivery becomes due or passes its deadline; null when nothing is queued. */
  nextTime(now: number): number | null {
    return TimeRow.parse(this.#nextTime.get(now)).at;
  }

  /** Plans in the state `sending`: at the start, those of an agent that died. */
  sending(): string[] {
    return this.#sending.all().map((row) => PlanRow.parse(row).plan_id);
  }

  /** Marks a delivery as sending before anything leaves, and counts the attempt. Returns it as it is then. */
  markSending(planId: string, now: number): DeliveryRow {
    const { attempt, timeout_ms } = this.#require(planId);
    return this.#moveTo(planId, 'sending', { attempt: attempt + 1, deadline_at: now + timeout_ms }, now);
  }

  /** Puts a delivery back in its queue. */
  requeue(planId: string, { attempt, next_at, deadline_at, result }: Requeue, now: number): void {
    const change = { attempt, next_at, deadline_at, result, outcome: result?.outcome ?? null };
    this.#noteSlot(this.#moveTo(planId, 'queued', change, now));
  }

  end(planId: string, outcome: string, result: DeliveryResult, now: number): void {
    this.#moveTo(planId, 'ended', { outcome, result }, now);
  }

  /** Makes due what this browser has deferred in a conversation; false when there is nothing. */
  hasten(client_id: string, { platform, conversation_id }: Conversation, now: number): boolean {
    return this.#hasten.run({ client_id, platform, conversation_id, now }).changes > 0;
  }

  /** Notes the newest command that asked for a renewal: its result goes there. */
  setSubject(planId: string, subjectId: string, now: number): void {
    this.#setSubject.run(subjectId, now, planId);
  }

  /** Ends the message whose reply has ended. */
  finishMessage(messageId: string): void {
    this.#finishMessage.run(messageId);
  }

  /** The clock has jumped: a backoff stays as long as it was, and a deadline is no later than it was. */
  clockJumped(by: number): void {
    this.#moveTimes.run({ by });
  }

  /** When a delivery that has not ended last changed; null without one. */
  lastChange(): number | null {
    return TimeRow.parse(this.#newest.get()).at;
  }

  /** Deletes deliveries that ended before that time. */
  forgetBefore(time: number): void {
    this.#forget.run(time);
  }

  queuedCounts(): z.infer<typeof CountRow>[] {
    return this.#queuedCounts.all().map((row) => CountRow.parse(row));
  }

  /** The only setter of a delivery's state. @throws Error when the table of transitions forbids it. */
  #moveTo(planId: string, state: DeliveryState, change: Change, now: number): DeliveryRow {
    const row = this.#require(planId);
    requireTransition(planId, row.state, state);
    const moved: DeliveryRow = { ...row, ...change, state, updated_at: now };
    const { plan_id, attempt, next_at, deadline_at, outcome, updated_at } = moved;
    const result = moved.result === null ? null : JSON.stringify(moved.result);
    this.#move.run({ plan_id, state, attempt, next_at, deadline_at, outcome, result, updated_at });
    return moved;
  }

  #require(planId: string): DeliveryRow {
    const row = this.find(planId);
    if (row === null) throw new Error(`there is no delivery ${planId}`);
    return row;
  }

  #noteSlot({ client_id, platform }: SlotKey): void {
    this.#slots.set(`${client_id} ${platform}`, { client_id, platform });
  }
}
