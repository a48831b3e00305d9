/** Validates a part of a request with its contract. */
import { checkValue, fieldIssues } from '../../schema/contracts/issues.ts';
import { AppError } from '../../schema/errors.ts';
import type { Parsed, Schema } from './route-spec.ts';

/** Issues that an error lists. */
const MAX_ISSUES = 20;

/** Throws `invalid_request` that names the first bad field and what was expected there; `where` is the part. */
export function parse<S extends Schema>(schema: S, value: unknown, where: string): Parsed<S> {
  if (schema === undefined) return undefined as Parsed<S>;
  const result = checkValue(schema, value);
  if (result.success) return result.data as Parsed<S>;
  const issues = fieldIssues(result.error, where, MAX_ISSUES);
  const [first] = issues;
  throw new AppError('invalid_request', `${first?.field}: ${first?.expected}`, {
    details: { in: where, ...first, issues },
  });
}
