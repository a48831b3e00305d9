/** The deadlines of approvals follow their notices (`approvalExpiresAt`). Nodes show them, and read them again. */
import { sql } from 'drizzle-orm';
import type { Database } from '../db/open.ts';
import { APPROVAL_DUE_SQL } from '../db/status-sql.ts';
import { pushChanged } from '../nodes/push.ts';

export interface MovedDeadline {
  instruction_id: string;
  controller_id: string;
}

/** The statement that moves those which still wait. A node reads an instruction again whose `updated_at` is another. */
export function moveDeadlines(db: Database, deadlines: readonly { instruction_id: string; at: number }[], now: number) {
  return db.all<MovedDeadline>(sql`UPDATE instructions SET approval_expires_at = o.value->>'at', updated_at = ${now}
    FROM json_each(${JSON.stringify(deadlines)}) AS o
    WHERE instructions.instruction_id = o.value->>'instruction_id' AND instructions.status ${APPROVAL_DUE_SQL}
    RETURNING instructions.instruction_id, instructions.controller_id`);
}

export async function notifyNodes(env: Env, moved: readonly MovedDeadline[]): Promise<void> {
  const byNode = Map.groupBy(moved, ({ controller_id }) => controller_id);
  for (const [node, some] of byNode) {
    await pushChanged(
      env,
      node,
      'approvals',
      some.map(({ instruction_id }) => instruction_id),
    );
  }
}
