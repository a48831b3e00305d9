/**
 * One commit per write. A write handler reads and decides, and returns a plan; this file turns the plan into one D1
 * batch: guards, the change, its events, its audit row or journal block, and the response under its idempotency key. So
 * an acknowledged write is atomic and recorded, and a repeat gets the first response. When a guard finds that what the
 * decision relied upon has changed, the handler reads and decides again.
 */

import type { ChainHead } from '../../schema/contracts/journal.ts';
import type { Principal } from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';
import { runBestEffort } from '../log.ts';
import { auditNode, auditPerson } from './audit.ts';
import { endedIn } from './counters.ts';
import { insertEvents } from './events.ts';
import type { Violation } from './guards.ts';
import { violationOf } from './guards.ts';
import type { Idempotency } from './idempotency.ts';
import { recordResponse, replay } from './idempotency.ts';
import { linkJournal } from './journal.ts';
import type { Database, Statement } from './open.ts';
import { runBatch } from './open.ts';
import type { WritePlan } from './plan.ts';

export interface WriteContext {
  db: Database;
  now: number;
  /** The caller and the call; null for the system's own ticks, which the tick log records. */
  by: { principal: Principal; action: string; request_id: string } | null;
  idempotency: Idempotency | null;
  waitUntil(work: Promise<unknown>): void;
  /** Takes the new head of the caller's own journal, once it is stored. */
  onJournalHead?(head: ChainHead): void;
}

/** Attempts to decide, when other writes keep changing what the decision reads. */
const MAX_DECISIONS = 8;
/** Attempts to link journal and audit, when other commits append to the same chain: more than a node's busiest moment needs. */
const MAX_LINKS = 40;
const LINK_WAIT_MS = 8;

/** Reads, decides and commits. Throws AppError with the guard's code, or `conflict` after MAX_DECISIONS attempts. */
export async function commit<T>(context: WriteContext, decide: () => Promise<WritePlan<T>>): Promise<T> {
  for (let decisions = 0; decisions < MAX_DECISIONS; decisions += 1) {
    const repeated = await replay(context.db, context.idempotency);
    if (repeated) return repeated.response as T;
    const plan = await decide();
    const violation = await writePlan(context, plan);
    if (violation === null) {
      if (plan.after) context.waitUntil(runBestEffort('after_commit', plan.after));
      return plan.response;
    }
    if (violation !== 'changed') throw new AppError(violation, GUARD_MESSAGES[violation]);
  }
  throw new AppError('conflict', 'concurrent writes kept changing what this write relies upon; try again');
}

const GUARD_MESSAGES = {
  stale_term: 'a newer leader term has been granted',
  system_paused: 'the system is paused',
  stale_run: 'another run has taken over',
  not_leader: 'this node does not hold the lease of that term',
} as const;

/** The guard that stopped the write, or null. Links the journal again while other commits append to the same chain. */
async function writePlan<T>(
  context: WriteContext,
  plan: WritePlan<T>,
): Promise<Exclude<Violation, 'journal_moved'> | null> {
  const { db, now, by, idempotency } = context;
  const events = insertEvents(db, plan.events ?? [], now, endedIn(plan.journal ?? []));
  const statements = [...(plan.guards ?? []), ...(plan.statements ?? []), ...events];
  const author = by === null ? null : authorOf(by);
  const mark = idempotency?.kind === 'outbox' ? idempotency : null;
  for (let links = 1; links <= MAX_LINKS; links += 1) {
    const journal = await linkJournal({ db, now, author, mark }, plan.journal ?? []);
    const audited = await auditRow(context, plan);
    const recorded = await recordResponse(context, idempotency, plan, journal.head);
    const violation = await tryBatch(db, [...statements, ...audited, ...journal.statements, ...recorded]);
    if (violation === null && journal.head !== null) context.onJournalHead?.(journal.head);
    if (violation !== 'journal_moved') return violation;
    // A random wait, because commits that collided would collide again.
    const waitMs = Math.random() * LINK_WAIT_MS * Math.min(links, 8);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return 'changed';
}

async function tryBatch(db: Database, statements: readonly Statement[]): Promise<Violation | null> {
  try {
    await runBatch(db, statements);
    return null;
  } catch (error) {
    const violation = violationOf(error);
    if (violation === null) throw error;
    return violation;
  }
}

function authorOf({ principal, action, request_id }: NonNullable<WriteContext['by']>) {
  return { actor: principal.subject, role: principal.role, action, request_id };
}

/** None for a node's write that the journal has: its block says the same. */
async function auditRow<T>({ by, db, now }: WriteContext, plan: WritePlan<T>): Promise<Statement[]> {
  if (by === null || plan.audited === false) return [];
  const write = { at: now, ...authorOf(by), subject_id: plan.subject_id ?? null };
  if (by.principal.controller_id === null) return await auditPerson(db, write);
  return (plan.journal ?? []).length > 0 ? [] : auditNode(db, write);
}
