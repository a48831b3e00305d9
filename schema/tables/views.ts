/**
 * Views for the D1 console: the questions of an operator as `SELECT * FROM ops_…` (docs/d1-queries.md). The Worker reads
 * none of them. A view costs nothing at a write. Each bounds what it reads of a table that grows, by a range of the key or
 * by a partial index. Times are shown as UTC.
 *
 * SQLite checks every view when a table is renamed: a migration that rebuilds a table first drops the views that read it,
 * and makes them again at its end.
 */
import { sql } from 'drizzle-orm';
import { sqliteView } from 'drizzle-orm/sqlite-core';
import { HAS_STOP } from './stopped.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 'unixepoch() * 1000';
/** The newest rows of a table that is ordered by a number. */
const NEWEST = 1_000;

const view = (name: string, query: string) => sqliteView(name, {}).as(sql.raw(query));
const utc = (ms: string) => `strftime('%Y-%m-%d %H:%M:%S', ${ms} / 1000, 'unixepoch')`;
const day = (ms: string) => `strftime('%Y-%m-%d', ${ms} / 1000, 'unixepoch')`;
const seconds = (from: string, to: string) => `round((${to} - ${from}) / 1000.0, 1)`;
/** A member of a JSON column; null when the column was damaged, which must not fail the query. */
const member = (column: string, name: string) => `CASE WHEN json_valid(${column}) THEN ${column} ->> '$.${name}' END`;
const list = (column: string) => `json_each(CASE WHEN json_valid(${column}) THEN ${column} ELSE '[]' END)`;
/** How much a counter has grown since the row before. */
const grown = (name: string) => {
  const counter = `coalesce(h.counts ->> '$."${name}"', 0)`;
  return `${counter} - coalesce(lag(${counter}) OVER (ORDER BY h.hour), 0)`;
};
const sumGrown = (names: readonly string[]) => names.map(grown).join(' + ');

/**
 * The condition that an id was made in the last `days`: ids begin with their time in Crockford's base 32, so it is a range
 * of the key.
 */
function madeInLast(days: number, id: string, prefix: string): string {
  const since = `(${NOW_MS} - ${days * DAY_MS})`;
  const digits = Array.from(
    { length: 10 },
    (_, place) => `substr('0123456789abcdefghjkmnpqrstvwxyz', ((${since} >> ${45 - 5 * place}) & 31) + 1, 1)`,
  );
  return `${id} >= '${prefix}_' || ${digits.join(' || ')}`;
}

export const ops_waiting = view(
  'ops_waiting',
  `SELECT 'approval' AS kind, i.instruction_id AS id, ${utc('i.created_at')} AS since,
    ${utc('i.approval_expires_at')} AS until, ${member('i.approval', 'display')} AS what
  FROM instructions AS i WHERE i.status = 'awaiting_approval'
  UNION ALL SELECT 'task', t.task_id, ${utc('t.updated_at')}, NULL, t.title
  FROM tasks AS t WHERE t.status = 'blocked'
  UNION ALL SELECT 'conversation', c.local_conversation_id, ${utc('c.paused_at')}, NULL, c.pause_reason
  FROM local_conversations AS c WHERE c.paused_at IS NOT NULL AND c.automation_status = 'paused'
  UNION ALL SELECT 'browser', b.client_id, ${utc('b.updated_at')}, NULL,
    p.value ->> '$.platform' || ': ' || (p.value ->> '$.stopped_reason')
  FROM clients AS b, ${list('b.platforms')} AS p
  WHERE ${HAS_STOP.replace('platforms', 'b.platforms')} AND p.value ->> '$.stopped_reason' IS NOT NULL
  UNION ALL SELECT 'system', 'mode', ${utc('f.updated_at')}, NULL, f.mode
  FROM fence AS f WHERE f.id = 1 AND f.mode <> 'running'`,
);

/** The same order of reasons as `schema/domain/next-renewal.ts`, as far as D1 has the facts. */
export const ops_conversations = view(
  'ops_conversations',
  `SELECT c.local_conversation_id, c.platform, c.title, c.automation_status,
    CASE
      WHEN m.message_id IS NULL THEN 'no_message'
      WHEN m.role <> 'assistant' OR j.status = 'done' THEN 'waiting_for_answer'
      WHEN j.status = 'running' THEN 'being_delivered'
      WHEN j.status IN ('failed', 'canceled') THEN coalesce(j.last_error, j.status)
      WHEN f.mode <> 'running' THEN 'system_' || f.mode
      WHEN c.automation_status = 'paused' THEN coalesce(c.pause_reason, 'automation_paused')
      WHEN c.automation_status = 'manual' THEN 'automation_manual'
      WHEN c.cooldown_until > ${NOW_MS} THEN coalesce(c.cooldown_reason, 'cooldown')
      WHEN j.next_attempt_at > ${NOW_MS} THEN coalesce(j.last_error, 'scheduled')
      WHEN j.status = 'pending' THEN NULL
      ELSE coalesce(m.skip_reason, 'settling')
    END AS not_due_because,
    ${utc('coalesce(j.next_attempt_at, c.cooldown_until, c.project_at)')} AS checked_again_at,
    ${utc('c.last_message_at')} AS last_message_at, c.last_message_id
  FROM local_conversations AS c JOIN fence AS f ON f.id = 1
    LEFT JOIN messages AS m ON m.message_id = c.last_message_id
    LEFT JOIN renewal_jobs AS j ON j.message_id = c.last_message_id`,
);

export const ops_overdue_renewals = view(
  'ops_overdue_renewals',
  `SELECT j.job_id, j.local_conversation_id, ${utc('j.next_attempt_at')} AS due_at,
    ${seconds('j.next_attempt_at', NOW_MS)} AS overdue_seconds, j.attempt_count, j.max_attempts, j.last_error
  FROM renewal_jobs AS j WHERE j.status = 'pending' AND j.next_attempt_at < ${NOW_MS}`,
);

/** From the counters, which keep how late each renewal was sent. */
export const ops_renewals_by_hour = view(
  'ops_renewals_by_hour',
  `SELECT ${utc('h.hour')} AS hour,
    ${sumGrown(['500', '1000', '2000', '5000', '10000', '30000', '60000', '300000', '900000', '3600000', 'more'].map((bound) => `renewal_lateness/${bound}`))} AS sent,
    ${sumGrown(['30000', '60000', '300000', '900000', '3600000', 'more'].map((bound) => `renewal_lateness/${bound}`))} AS over_10_s_late,
    ${sumGrown(['300000', '900000', '3600000', 'more'].map((bound) => `renewal_lateness/${bound}`))} AS over_1_min_late,
    ${grown('deliveries/renewal/delivered')} AS delivered,
    ${grown('deliveries/renewal/failed')} AS failed,
    ${grown('deliveries/renewal/uncertain')} AS uncertain
  FROM hourly_counters AS h WHERE json_valid(h.counts)`,
);

export const ops_instructions = view(
  'ops_instructions',
  `SELECT i.instruction_id, ${utc('i.created_at')} AS created_at, i.status, i.target || '::' || i.tool AS call,
    i.controller_id AS node, i.local_conversation_id, i.message_id, ${member('i.policy', 'rule')} AS rule, i.gate,
    i.exit_code, i.error_code, i.duration_ms, i.output_summary
  FROM instructions AS i WHERE ${madeInLast(30, 'i.instruction_id', 'ins')}`,
);

export const ops_instructions_by_day = view(
  'ops_instructions_by_day',
  `SELECT ${day('i.created_at')} AS day, i.status, ${member('i.policy', 'rule')} AS rule,
    i.target || '::' || i.tool AS call, count(*) AS instructions, round(avg(i.duration_ms)) AS avg_ms,
    max(i.duration_ms) AS max_ms
  FROM instructions AS i WHERE ${madeInLast(30, 'i.instruction_id', 'ins')} GROUP BY 1, 2, 3, 4`,
);

export const ops_interrupted = view(
  'ops_interrupted',
  `SELECT i.instruction_id, ${utc('i.started_at')} AS started_at, ${utc('i.finished_at')} AS interrupted_at,
    i.target || '::' || i.tool AS call, i.params, i.controller_id AS node, i.local_conversation_id, i.output_summary, i.resolution
  FROM instructions AS i
  WHERE ${madeInLast(90, 'i.instruction_id', 'ins')} AND i.status = 'interrupted'`,
);

export const ops_messages_by_day = view(
  'ops_messages_by_day',
  `SELECT ${day('m.received_at')} AS day, m.platform, m.role, m.ingest_status, count(*) AS messages,
    sum(length(m.raw_text)) AS characters
  FROM messages AS m WHERE ${madeInLast(30, 'm.message_id', 'msg')} GROUP BY 1, 2, 3, 4`,
);

export const ops_tasks = view(
  'ops_tasks',
  `SELECT t.task_id, t.title, t.status, t.repo, t.assigned_controller_id AS node, ${utc('t.created_at')} AS created_at,
    ${seconds('t.created_at', 't.started_at')} AS waited_seconds,
    ${seconds('t.started_at', `coalesce(t.finished_at, ${NOW_MS})`)} AS took_seconds, t.error_code, t.result_summary
  FROM tasks AS t WHERE ${madeInLast(30, 't.task_id', 'task')}`,
);

export const ops_runs = view(
  'ops_runs',
  `SELECT r.run_id, r.task_id, s.kind, s.name AS step, r.attempt, r.status, r.controller_id AS node,
    ${utc('r.started_at')} AS started_at, ${seconds('r.started_at', `coalesce(r.finished_at, ${NOW_MS})`)} AS took_seconds,
    ${utc('r.deadline_at')} AS deadline_at, r.exit_code, r.error_code, r.summary
  FROM runs AS r LEFT JOIN steps AS s ON s.step_id = r.step_id WHERE ${madeInLast(30, 'r.run_id', 'run')}`,
);

export const ops_nodes = view(
  'ops_nodes',
  `SELECT n.controller_id AS node, n.host, n.role, n.status, n.version, n.draining,
    ${utc('n.last_heartbeat_at')} AS last_heartbeat_at,
    ${seconds('n.last_heartbeat_at', NOW_MS)} AS silent_seconds, f.holder_id = n.controller_id AS had_the_lease_last,
    (SELECT count(*) FROM runs AS r WHERE r.controller_id = n.controller_id AND r.status IN ('prepared', 'running'))
      AS live_runs
  FROM nodes AS n JOIN fence AS f ON f.id = 1`,
);

export const ops_leadership = view(
  'ops_leadership',
  `SELECT t.term, t.holder_id AS node, t.holder_host AS host, ${utc('t.acquired_at')} AS acquired_at,
    ${seconds('t.acquired_at', `lead(t.acquired_at, 1, ${NOW_MS}) OVER (ORDER BY t.term)`)} AS seconds_until_next
  FROM leader_terms AS t WHERE t.term > (SELECT max(x.term) FROM leader_terms AS x) - ${NEWEST}`,
);

export const ops_ticks = view(
  'ops_ticks',
  `SELECT t.tick_seq, ${utc('t.started_at')} AS started_at, t.trigger, t.decision,
    t.finished_at - t.started_at AS duration_ms, json_array_length(t.entries) AS entries, t.batch_id
  FROM ticks AS t
  WHERE t.tick_seq > (SELECT max(x.tick_seq) FROM ticks AS x) - ${NEWEST} AND json_valid(t.entries)`,
);

export const ops_events = view(
  'ops_events',
  `SELECT b.seq, ${utc('b.at')} AS at, e.value ->> '$.topic' AS topic, e.value ->> '$.type' AS type,
    e.value ->> '$.subject_id' AS subject_id, e.value -> '$.data' AS data
  FROM event_batches AS b, ${list('b.events')} AS e
  WHERE b.seq > (SELECT max(x.seq) FROM event_batches AS x) - ${NEWEST}`,
);

export const ops_browsers = view(
  'ops_browsers',
  `SELECT b.client_id AS browser, b.controller_id AS node, b.connected, ${utc('b.updated_at')} AS reported_at,
    p.value ->> '$.platform' AS platform, p.value ->> '$.stopped_reason' AS stopped_reason
  FROM clients AS b, ${list('b.platforms')} AS p`,
);

export const ops_commands = view(
  'ops_commands',
  `SELECT c.command_id, c.kind, c.status, c.controller_id AS node, ${utc('c.created_at')} AS created_at,
    ${utc('c.received_at')} AS received_at, ${utc('c.expires_at')} AS expires_at
  FROM commands AS c WHERE c.status IN ('pending', 'received')`,
);

/** The secrets are not in the database. */
export const ops_tokens = view(
  'ops_tokens',
  `SELECT t.token_id, t.role, t.subject, t.controller_id AS node, t.created_by, ${utc('t.created_at')} AS created_at,
    ${utc('t.last_used_at')} AS last_used_at, ${utc('t.expires_at')} AS expires_at
  FROM tokens AS t WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ${NOW_MS})`,
);

export const ops_grants = view(
  'ops_grants',
  `SELECT g.grant_id, g.local_conversation_id, g.controller_id AS node, g.argv, g.folder, g.uses, g.max_uses,
    g.created_by, ${utc('g.created_at')} AS created_at, ${utc('g.expires_at')} AS expires_at
  FROM grants AS g WHERE g.revoked_at IS NULL AND g.expires_at > ${NOW_MS} AND g.uses < g.max_uses`,
);

/** The writes of people are the chained ones. */
export const ops_people = view(
  'ops_people',
  `SELECT a.chain_seq, ${utc('a.at')} AS at, a.actor, a.role, a.action, a.subject_id, a.request_id
  FROM audit AS a
  WHERE a.chain_seq > (SELECT max(x.chain_seq) FROM audit AS x WHERE x.chain_seq IS NOT NULL) - ${NEWEST}`,
);

export const ops_notices = view(
  'ops_notices',
  `SELECT n.notice_id, n.cause, n.object_id, n.state, ${utc('n.since')} AS since, ${utc('n.accepted_at')} AS accepted_at,
    ${utc('n.ended_at')} AS ended_at, n.attempt_count, n.last_error
  FROM person_notices AS n`,
);

export const ops_usage_by_day = view(
  'ops_usage_by_day',
  `SELECT ${day('u.hour')} AS day, sum(u.rows_read) AS rows_read, sum(u.rows_written) AS rows_written
  FROM (SELECT h.hour, ${grown('d1/rows_read')} AS rows_read, ${grown('d1/rows_written')} AS rows_written
    FROM hourly_counters AS h WHERE json_valid(h.counts)) AS u GROUP BY 1`,
);

/** What D1 holds. Counting reads an entry of each row, so this is the only view that reads whole tables. */
const COUNTED_TABLES = [
  'messages',
  'instructions',
  'artifacts',
  'journal_blocks',
  'event_batches',
  'audit',
  'local_conversations',
  'conversation_links',
  'clients',
  'nodes',
  'leader_terms',
  'commands',
  'renewal_jobs',
  'ticks',
  'hourly_counters',
  'tasks',
  'steps',
  'runs',
  'run_logs',
  'checkpoints',
  'checkpoint_contents',
  'tokens',
  'grants',
  'asks',
  'mcp_calls',
  'person_notices',
  'idempotency_keys',
  'outbox_marks',
  'sign_in_links',
  'ended_sessions',
  'task_dependencies',
  'task_notices',
  'journal_heads',
  'renewal_settings',
  'notice_settings',
  'runner_cursors',
];
export const ops_rows = view(
  'ops_rows',
  // Not as a compound SELECT, of which D1 takes five parts.
  `SELECT v.column1 AS table_name, v.column2 AS row_count
  FROM (VALUES ${COUNTED_TABLES.map((table) => `('${table}', (SELECT count(*) FROM ${table}))`).join(', ')}) AS v`,
);
