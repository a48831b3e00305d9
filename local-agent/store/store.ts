/**
 * The agent's one SQLite file. Every commit is synced before it returns (WAL, synchronous=FULL), so what was stored
 * survives kill -9 and a power cut. One agent per file: it holds a lock, which the operating system releases when the
 * process dies. Readers need no lock.
 */
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makePrivateFile, makePrivateFolder } from '../host/own-files.ts';
import { takeFileLock } from './file-lock.ts';
import { FinishedMessages } from './finished-messages.ts';
import { Meta } from './meta.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { Outbox } from './outbox.ts';
import { Pairings } from './pairings.ts';
import { Responses } from './responses.ts';
import { SeenCommands } from './seen-commands.ts';

export interface Store {
  readonly db: DatabaseSync;
  /**
   * Runs `fn` in one transaction: all of it is stored or, when it throws, none. Inside another transaction it is a
   * part of that one. `fn` must not be async.
   */
  transaction<T>(fn: () => T): T;
  readonly outbox: Outbox;
  readonly responses: Responses;
  readonly seenCommands: SeenCommands;
  readonly pairings: Pairings;
  readonly finishedMessages: FinishedMessages;
  readonly meta: Meta;
  /** Gives the outbox a new id: another file sends under the old one. */
  renewOutbox(): void;
  close(): void;
}

export interface StoreDeps {
  /** Wall clock, Unix milliseconds. */
  now: () => number;
  /** Names the outbox of a new file. It must never be used for another file. */
  newOutboxId: () => string;
}

/** Another agent has the file open. */
export class StoreLockedError extends Error {
  override readonly name = 'StoreLockedError';
}

const OUTBOX_ID = 'outbox_id';

function takeLock(path: string): DatabaseSync {
  const lock = takeFileLock(`${path}.lock`, 0);
  if (lock !== null) return lock;
  throw new StoreLockedError(`another agent is running on ${path}; stop it, or give this one its own --state-dir`);
}

function transactionRunner(db: DatabaseSync): Store['transaction'] {
  let open = false;
  return (fn) => {
    if (open) return fn();
    db.exec('BEGIN IMMEDIATE');
    open = true;
    try {
      const result = fn();
      if (result instanceof Promise) throw new TypeError('a transaction must not be async');
      db.exec('COMMIT');
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    } finally {
      open = false;
    }
  };
}

/**
 * Opens the file at `path`; creates it and its folder (0700) when missing.
 *
 * @throws StoreLockedError when another agent holds it, StoreTooNewError or MigrationChangedError when its tables are
 *   not those of this version.
 */
export function openStore(path: string, deps: StoreDeps): Store {
  makePrivateFolder(dirname(path));
  const lock = takeLock(path);
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(path);
    makePrivateFile(path);
    db.exec(
      'PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON',
    );
    migrate(db, path, MIGRATIONS);
    return assemble(db, lock, deps);
  } catch (error) {
    db?.close();
    lock.close();
    throw error;
  }
}

function assemble(db: DatabaseSync, lock: DatabaseSync, deps: StoreDeps): Store {
  const meta = new Meta(db);
  const outboxId = meta.get(OUTBOX_ID) ?? deps.newOutboxId();
  meta.set(OUTBOX_ID, outboxId);
  const outbox = new Outbox(db, { outboxId, now: deps.now });
  return {
    db,
    transaction: transactionRunner(db),
    meta,
    outbox,
    renewOutbox() {
      const renewed = deps.newOutboxId();
      meta.set(OUTBOX_ID, renewed);
      outbox.rename(renewed);
    },
    responses: new Responses(db),
    seenCommands: new SeenCommands(db),
    pairings: new Pairings(db),
    finishedMessages: new FinishedMessages(db),
    close() {
      db.close();
      lock.close();
    },
  };
}
