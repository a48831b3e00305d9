/**
 * One commit per write. A write handler reads and decides, and returns a plan; this file turns the plan into one D1
 * batch: guards, the change, its events, its audit row, and the answer under its idempotency key. So an acknowledged
 * write is whole and audited, a repeat gets the first answer, and what a decision relied upon still held when it was
 * written: a `changed` guard makes the handler read and decide again.
 */

import type { EventDraft } from '../../schema/contracts/events.ts';
import type { Principal } from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';
import { audit, events } from '../../schema/tables/index.ts';
import { linkJournal } from '../instructions/journal.ts';
import { runBestEffort } from '../log.ts';
import { violationOf } from './guards.ts';
import type { Idempotency } from './idempotency.ts';
import { recordResponse, replay } from './idempotency.ts';
import type { Database, Statement } from './open.ts';
import { runBatch } from './open.ts';
import type { WritePlan } from './plan.ts';

export interface WriteContext {
  db: Database;
  now: number;
  /** Who writes and by which call; null for the system's own ticks, which the tick log records. */
  by: { principal: Principal; action: string; request_id: string } | null;
  idempotency: Idempotency | null;
  waitUntil(work: Promise<unknown>): void;
}

/** How often a decision is made anew when what it relied upon changed under it. */
const MAX_TRIES = 8;
/** How often the journal is linked anew when others wrote into the same chain: a node's busiest moment is below it. */
const MAX_LINKS = 40;
const LINK_WAIT_MS = 8;

/**
 * Reads, decides and commits. Throws AppError with the guard's code, or `conflict` when the ground kept moving.
 */
export async function commit<T>(context: WriteContext, decide: () => Promise<WritePlan<T>>): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const repeated = await replay(context);
    if (repeated) return repeated.response as T;
    const plan = await decide();
    const violation = await write(context, plan);
    if (violation === null) {
      if (plan.after) context.waitUntil(runBestEffort('after_commit', plan.after));
      return plan.response;
    }
    if (violation !== 'changed') throw new AppError(violation, GUARD_MESSAGES[violation]);
  }
  throw new AppError('conflict', 'what this write relies upon kept changing; try again');
}

const GUARD_MESSAGES = {
  stale_term: 'a newer leader has been granted since',
  system_paused: 'the system is paused',
  stale_run: 'another run has taken over',
} as const;

async function write<T>(context: WriteContext, plan: WritePlan<T>) {
  const guards = plan.guards ?? [];
  const statements = [
    ...(plan.statements ?? []),
    ...eventRows(context, plan.events ?? []),
    ...auditRow(context, plan),
    ...(await recordResponse(context, plan.response, plan.secret === true)),
  ];
  for (let links = 1; links <= MAX_LINKS; links += 1) {
    const journal = await linkJournal(context.db, plan.journal ?? [], context.now);
    const violation = await tryBatch(context.db, [...guards, ...statements, ...journal]);
    if (violation !== 'journal_moved') return violation;
    // Those that collided would collide again: each comes back after a time of its own.
    const wait = Math.random() * LINK_WAIT_MS * Math.min(links, 8);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  return 'changed';
}

async function tryBatch(db: Database, statements: readonly Statement[]) {
  try {
    await runBatch(db, statements);
    return null;
  } catch (error) {
    const violation = violationOf(error);
    if (violation === null) throw error;
    return violation;
  }
}

function eventRows(context: WriteContext, drafts: readonly EventDraft[]): Statement[] {
  return drafts.map((draft) => context.db.insert(events).values({ at: context.now, ...draft, data: draft.data ?? {} }));
}

function auditRow<T>({ by, db, now }: WriteContext, plan: WritePlan<T>): Statement[] {
  if (by === null || plan.audited === false) return [];
  const { principal, action, request_id } = by;
  return [
    db.insert(audit).values({
      at: now,
      actor: principal.subject,
      role: principal.role,
      action,
      subject_id: plan.subject_id ?? null,
      request_id,
    }),
  ];
}
