/** How many instructions wait for a person, or will at their turn, counted no further than the limits of `APPROVALS`. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { APPROVALS } from '../../schema/defaults.ts';
import type { Database } from '../db/open.ts';
import { APPROVAL_DUE_SQL, WAITING_SQL } from '../db/status-sql.ts';

/** A row whose verdict cannot be read counts, so that it does not let in more than the limit. */
const ASKS = sql`status ${WAITING_SQL}
  AND (status ${APPROVAL_DUE_SQL} OR CASE WHEN json_valid(policy) THEN policy->>'decision' = 'ask' ELSE true END)`;

/** The select for a batch; `conversationId` is an SQL expression. It has one row. */
export function selectWaiting(db: Database, conversationId: SQL, nodeId: string) {
  const counted = (where: SQL, limit: number) =>
    sql`(SELECT count(*) FROM (SELECT 1 FROM instructions WHERE ${where} AND ${ASKS} LIMIT ${limit}))`;
  return db.all<{ conversation: number; node: number }>(sql`SELECT
    ${counted(sql`local_conversation_id = ${conversationId}`, APPROVALS.max_per_conversation)} AS conversation,
    ${counted(sql`controller_id = ${nodeId}`, APPROVALS.max_per_node)} AS node`);
}
