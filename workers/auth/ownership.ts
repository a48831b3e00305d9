/** A node may name and read only what belongs to it. */
import type { Session } from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';

/** Throws `not_owner` when a node (null for a person) asks for another node's row. */
export function requireOwn(nodeId: string | null, row: { controller_id: string }): void {
  if (nodeId !== null && nodeId !== row.controller_id) {
    throw new AppError('not_owner', `this belongs to ${row.controller_id}`, { details: { field: 'controller_id' } });
  }
}

/** Throws `not_owner` when a node's path or body names another node than the one of its token. */
export function requireOwnNodeId(caller: Session, ...parts: unknown[]): void {
  if (caller.controller_id === null) return;
  for (const part of parts) {
    const named = (part as { controller_id?: unknown } | undefined)?.controller_id;
    if (named !== undefined && named !== caller.controller_id) {
      throw new AppError('not_owner', `this token belongs to ${caller.controller_id}`, {
        details: { field: 'controller_id' },
      });
    }
  }
}
