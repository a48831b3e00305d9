/** The node that a command names. */
import { ControllerIdSchema } from '../../schema/contracts/common.ts';
import { UsageError } from './exit-codes.ts';

/** @throws UsageError for what cannot be the id of a node */
export function parseNode(name: unknown): string {
  const parsed = ControllerIdSchema.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new UsageError(`node: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
}
