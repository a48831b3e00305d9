/**
 * A plan says what one write does to D1, before it is written: guards, statements, events, journal entries, and what
 * is announced afterwards. Each part of a write returns a plan of its own; `mergePlans` puts them together, so that no
 * caller can forget a part's events or notifications. commit.ts turns the merged plan into one batch.
 */
import type { EventDraft } from '../../schema/contracts/events.ts';
import type { JournalDraft } from './journal.ts';
import type { Database, Statement } from './open.ts';

/** What every operation of the edge needs: bindings, database, and the time of the request in Unix milliseconds. */
export interface Edge {
  env: Env;
  db: Database;
  now: number;
}

export interface Plan {
  /** Conditions that must still hold when the batch is written (guards.ts). */
  guards?: readonly Statement[];
  statements?: readonly Statement[];
  events?: readonly EventDraft[];
  /** Entries of the instructions' journal; commit.ts links them to their chains as the batch is written. */
  journal?: readonly JournalDraft[];
  /** Notifies others once the change is durable. A failure is logged and changes nothing. */
  after?: () => Promise<unknown>;
}

/** The plan of a whole request: with the response, and what the audit records. */
export interface WritePlan<T> extends Plan {
  response: T;
  /** The subject of the audit row. */
  subject_id?: string;
  /** False only for a call that changed nothing, such as a refused acquire. */
  audited?: boolean;
  /** The response carries a secret: the copy kept for a repeat is encrypted with the caller's own token. */
  secret?: boolean;
}

/** Concatenates the parts in order; `after` of each runs in the same order. */
export function mergePlans(...plans: readonly Plan[]): Required<Plan> {
  const notifications = plans.flatMap(({ after }) => (after === undefined ? [] : [after]));
  return {
    guards: plans.flatMap(({ guards = [] }) => guards),
    statements: plans.flatMap(({ statements = [] }) => statements),
    events: plans.flatMap(({ events = [] }) => events),
    journal: plans.flatMap(({ journal = [] }) => journal),
    after: async () => {
      for (const notify of notifications) await notify();
    },
  };
}
