/** What one tick removes of a conversation. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { Forgotten } from '../../schema/contracts/forget.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';

export interface ForgottenPart {
  plan: Plan;
  removed: Partial<Forgotten>;
}

/** For `IN ${listOf(…)}`. */
export function listOf(values: readonly string[]): SQL {
  return sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

/** Commands that carried what is forgotten. One that its node may still work on stays until retention deletes it. */
export function deleteCommands(db: Database, named: readonly { command_id: string | null }[]): Statement {
  const ids = named.flatMap(({ command_id }) => command_id ?? []);
  return db.run(sql`DELETE FROM commands WHERE command_id IN ${listOf(ids)} AND status NOT IN ('pending', 'received')`);
}
