/** The error while D1's fence is behind an object: nothing was granted, and a repeat may succeed. */
import { AppError } from '../../schema/errors.ts';

export function fenceLag(): AppError {
  return new AppError('internal', 'the database could not be brought up to date; nothing was granted, try again');
}
