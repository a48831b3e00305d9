/** What is due next, in order: renewals by the time at which they are looked at, tasks as nodes claim them. */
import { inArray, sql } from 'drizzle-orm';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { TaskSummarySchema } from '../../schema/contracts/tasks.ts';
import type { DueNext } from '../../schema/contracts/waiting.ts';
import { NEXT_SHOWN } from '../../schema/contracts/waiting.ts';
import { local_conversations, tasks } from '../../schema/tables/index.ts';
import { contractColumns } from '../db/columns.ts';
import type { Database } from '../db/open.ts';
import { marked } from '../db/readable.ts';
import { OPEN_TASK_SQL, taskIs } from '../db/task-sql.ts';

/** Those that wait for a person or for other tasks come after the others, of so many at most. */
const LOOKED_AT = 200;

interface Due {
  at: number;
  job_id: string | null;
  local_conversation_id: string;
}

export async function readDueNext(db: Database): Promise<DueNext> {
  const [due, queued] = await Promise.all([dueRenewals(db), dueTasks(db)]);
  const ids = due.map(({ local_conversation_id }) => local_conversation_id);
  const rows = await db
    .select()
    .from(local_conversations)
    .where(inArray(local_conversations.local_conversation_id, ids));
  const byId = new Map(rows.map((row) => [row.local_conversation_id, ConversationSchema.parse(row)]));
  const renewals = due.flatMap(({ at, job_id, local_conversation_id }) => {
    const conversation = byId.get(local_conversation_id);
    return conversation === undefined ? [] : [{ at, job_id, conversation }];
  });
  return { renewals, tasks: queued };
}

/** Jobs, and messages that may become one: each conversation once, those that are renewed automatically first. */
function dueRenewals(db: Database): Promise<Due[]> {
  return db.all<Due>(sql`SELECT min(d.at) AS at, max(d.job_id) AS job_id, d.local_conversation_id
    FROM (SELECT * FROM (SELECT next_attempt_at AS at, job_id, local_conversation_id FROM renewal_jobs
          WHERE status = 'pending' AND next_attempt_at IS NOT NULL ORDER BY next_attempt_at LIMIT ${LOOKED_AT})
        UNION ALL SELECT * FROM (SELECT project_at, NULL, local_conversation_id FROM local_conversations
          WHERE project_at IS NOT NULL ORDER BY project_at LIMIT ${NEXT_SHOWN})) AS d
      JOIN local_conversations AS c ON c.local_conversation_id = d.local_conversation_id
    GROUP BY d.local_conversation_id
    ORDER BY c.automation_status <> 'auto', min(d.at), d.local_conversation_id LIMIT ${NEXT_SHOWN}`);
}

async function dueTasks(db: Database): Promise<DueNext['tasks']> {
  const rows = await db
    .select(contractColumns(tasks, TaskSummarySchema))
    .from(tasks)
    .where(
      sql`task_id IN (SELECT q.task_id FROM (SELECT task_id, waits_for, priority FROM tasks
        WHERE status ${OPEN_TASK_SQL} AND status ${taskIs('queued')} ORDER BY task_id LIMIT ${LOOKED_AT}) AS q
        ORDER BY q.waits_for > 0, q.priority DESC, q.task_id LIMIT ${NEXT_SHOWN})`,
    )
    .orderBy(sql`waits_for > 0`, sql`priority DESC`, tasks.task_id);
  return rows.map(marked);
}
