/** The error while D1's fence is behind an object: nothing was granted, and a repeat may succeed. */
import type { AppError } from '../../schema/errors.ts';
import { databaseUnavailable } from '../db/unavailable.ts';

export function fenceLag(): AppError {
  return databaseUnavailable('the database could not be brought up to date; nothing was granted, try again');
}
