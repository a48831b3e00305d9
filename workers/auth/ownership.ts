/** What a node may see and say: only what is its own. */
import { AppError } from '../../schema/errors.ts';

/** Throws `not_owner` when a node (null for a person) asks for another node's row. */
export function requireOwn(nodeId: string | null, row: { controller_id: string }): void {
  if (nodeId !== null && nodeId !== row.controller_id) {
    throw new AppError('not_owner', `this belongs to ${row.controller_id}`, { details: { field: 'controller_id' } });
  }
}
