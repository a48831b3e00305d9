/** Renewal jobs as stored. Reads for ticks use the partial indexes, so they cost what is due, not what is stored. */
import type { SQL } from 'drizzle-orm';
import { and, desc, eq, sql } from 'drizzle-orm';
import type { JobStatus } from '../../schema/contracts/renewal.ts';
import type { Status } from '../../schema/contracts/status.ts';
import { OPEN_COUNT_MAX } from '../../schema/defaults.ts';
import type { JobState } from '../../schema/domain/job-machine.ts';
import { JOB_STATE } from '../../schema/domain/job-machine.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import { messages, renewal_jobs } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { listWindow, toBoundedPage } from '../http/paging.ts';

export async function findJob(db: Database, jobId: string): Promise<JobRow | undefined> {
  return db.select().from(renewal_jobs).where(eq(renewal_jobs.job_id, jobId)).get();
}

/** The hash of a message's text, by which repeats are known. */
export async function findTextHash(db: Database, messageId: string): Promise<string | null> {
  const row = await db
    .select({ text_hash: messages.text_hash })
    .from(messages)
    .where(eq(messages.message_id, messageId))
    .get();
  return row?.text_hash ?? null;
}

/** The text of that conversation's newest renewal. */
export async function lastRenewalText(db: Database, localConversationId: string): Promise<string | null> {
  const row = await db
    .select({ payload_text: renewal_jobs.payload_text })
    .from(renewal_jobs)
    .where(eq(renewal_jobs.local_conversation_id, localConversationId))
    .orderBy(desc(renewal_jobs.job_id))
    .limit(1)
    .get();
  return row?.payload_text ?? null;
}

export type JobFilter = Partial<{
  status: JobStatus | undefined;
  local_conversation_id: string | undefined;
  message_id: string | undefined;
}>;

/** By the index of what is due, or of what runs. */
function isOpenAs(status: 'pending' | 'running'): SQL {
  const isThat = status === 'pending' ? sql`status = 'pending'` : sql`status = 'running'`;
  return sql`${renewal_jobs.job_id} IN (SELECT job_id FROM renewal_jobs WHERE ${isThat})`;
}

/** Newest first. With another status, a page can be short and still have a `next_cursor`. */
export async function listJobs(db: Database, query: PageRequest & JobFilter): Promise<Page<JobRow>> {
  const { status, local_conversation_id, message_id } = query;
  const isOpen = status === 'pending' || status === 'running';
  const isFound = isOpen || status === undefined || local_conversation_id !== undefined || message_id !== undefined;
  const window = await listWindow(db, renewal_jobs.job_id, query, isFound);
  const rows = await db
    .select()
    .from(renewal_jobs)
    .where(
      and(
        isOpen ? isOpenAs(status) : equals(renewal_jobs.status, status),
        equals(renewal_jobs.local_conversation_id, local_conversation_id),
        equals(renewal_jobs.message_id, message_id),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  return toBoundedPage(rows, query, window, (row) => row.job_id);
}

/** Running jobs whose response is overdue, the longest first. */
export async function overdueJobs(db: Database, now: number, limit: number): Promise<JobRow[]> {
  return db
    .select()
    .from(renewal_jobs)
    .where(and(sql`${renewal_jobs.status} = 'running'`, sql`${renewal_jobs.deadline_at} <= ${now}`))
    .orderBy(renewal_jobs.deadline_at)
    .limit(limit);
}

/** A job with no more than what decides and stores its next step. */
export type JobAsRead = JobState & Pick<JobRow, 'job_id' | 'plan_id'>;
const asRead = sql.raw(['job_id', 'plan_id', ...JOB_STATE].map((name) => `j.${name}`).join(', '));

/** Jobs that the database shows as running, or as due at `now`. */
export async function jobsInFlight(db: Database, now: number, limit: number): Promise<JobAsRead[]> {
  return db.all<JobAsRead>(sql`SELECT ${asRead} FROM renewal_jobs AS j WHERE j.job_id IN (
      SELECT job_id FROM renewal_jobs WHERE status = 'running'
      UNION ALL SELECT job_id FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now} LIMIT ${limit})`);
}

/** Failed jobs of the newest messages of the conversations behind those links; `link_at` is the link's position. */
export async function failedJobsOf(
  db: Database,
  links: readonly { platform: string; remote_conversation_id: string }[],
): Promise<(JobAsRead & { link_at: number })[]> {
  if (links.length === 0) return [];
  return db.all<JobAsRead & { link_at: number }>(sql`SELECT ${asRead}, link.key AS link_at
    FROM json_each(${JSON.stringify(links)}) AS link CROSS JOIN local_conversations AS c CROSS JOIN renewal_jobs AS j
    WHERE c.platform = link.value->>'platform' AND c.remote_conversation_id = link.value->>'remote_conversation_id'
      AND j.message_id = c.last_message_id AND j.status = 'failed'`);
}

/** How many jobs are open, up to OPEN_COUNT_MAX each, and when the next one is due. */
export async function readQueue(db: Database, now: number): Promise<Status['renewal']> {
  return db.get<Status['renewal']>(sql`SELECT
    (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'pending' LIMIT ${OPEN_COUNT_MAX})) AS pending,
    (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'running' LIMIT ${OPEN_COUNT_MAX})) AS running,
    (SELECT count(*) FROM (SELECT 1 FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now}
      LIMIT ${OPEN_COUNT_MAX})) AS due,
    (SELECT next_attempt_at FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at IS NOT NULL
      ORDER BY next_attempt_at LIMIT 1) AS next_due_at`);
}
