/**
 * Whether an error says that D1 cannot be used at this moment: locked, full, overloaded, restarting, or not reachable. A
 * query that is wrong is none of these; it fails again. D1 has no codes for this, so its messages decide.
 */
import { AppError } from '../../schema/errors.ts';

const TROUBLE: readonly RegExp[] = [
  /SQLITE_(BUSY|LOCKED|IOERR|FULL|CANTOPEN|READONLY|NOMEM|PROTOCOL)/,
  /database (is|table is) locked|disk I\/O error|database or disk is full|unable to open database file/i,
  /D1 DB (is overloaded|storage operation exceeded timeout|reset because|exceeded its)/i,
  /caused object to be reset|Cannot resolve D1 DB|Network connection lost|D1 is overloaded/i,
  // The runtime hides its own failures so, such as a full disk below a local database. A wrong query has a message of SQLite.
  /\binternal error; reference = \w/,
];
const RETRY_AFTER_SEC = 2;

export function isDatabaseTrouble(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { message } = cause;
    if (TROUBLE.some((pattern) => pattern.test(message))) return true;
  }
  return false;
}

/** The error for a caller: what happened to its request is not known, so it repeats it under the same key. */
export function databaseUnavailable(
  message = 'the database cannot be used at this moment (locked, full, restarting or overloaded). Repeat the request, a write with the same Idempotency-Key',
): AppError {
  return new AppError('database_unavailable', message, {
    headers: { 'retry-after': String(RETRY_AFTER_SEC) },
    details: { retry_after_ms: RETRY_AFTER_SEC * 1_000 },
  });
}
