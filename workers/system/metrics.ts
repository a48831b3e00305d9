/**
 * The metrics of `GET /v1/metrics`. Totals come from keys that only grow, and counts by status from the newest WINDOW
 * rows, so a scrape reads the same few rows however many are stored.
 */
import { sql } from 'drizzle-orm';
import { SYSTEM_MODES } from '../../schema/contracts/system.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { storedJson } from '../db/stored-json.ts';
import { presenceOf } from '../nodes/presence.ts';
import { readQueue } from '../renewal/job-reads.ts';
import { countTasks } from '../tasks/counts.ts';
import type { Metric } from './prometheus-text.ts';
import { readSystem } from './state.ts';

const WINDOW = 500;
const NODES_MAX = 200;
const COST_WINDOW = 10;
/** A Worker keeps no counters between requests; the log line of each request has its numbers. */
const PER_REQUEST = 'the log line of each request has its own.';

interface Totals {
  messages: number;
  events: number;
  writes: number;
  ticks: number;
}
interface TickCost {
  rows_read: number;
  rows_written: number;
}
interface StatusCount {
  kind: 'instruction' | 'job' | 'run';
  status: string;
  count: number;
}

export async function readMetrics(edge: Edge): Promise<Metric[]> {
  const { env, db, now } = edge;
  const [{ system, lease }, queue, taskCounts, totals, statuses, ticks, nodes] = await Promise.all([
    readSystem(edge),
    readQueue(db, now),
    countTasks(db),
    db.get<Totals>(sql`SELECT coalesce((SELECT max(ingest_seq) FROM messages), 0) AS messages,
      coalesce((SELECT max(seq) FROM event_batches), 0) AS events, coalesce((SELECT max(seq) FROM audit), 0) AS writes,
      coalesce((SELECT max(tick_seq) FROM ticks), 0) AS ticks`),
    readStatusCounts(db),
    db.get<{ mean_ms: number; max_ms: number }>(sql`SELECT coalesce(avg(ms), 0) AS mean_ms,
      coalesce(max(ms), 0) AS max_ms
      FROM (SELECT finished_at - started_at AS ms FROM ticks ORDER BY tick_seq DESC LIMIT ${WINDOW})`),
    db.all<{ controller_id: string; outbox_depth: number | null }>(sql`SELECT controller_id,
      ${storedJson(sql`metadata`, '{}')}->>'outbox_depth' AS outbox_depth FROM nodes ORDER BY controller_id LIMIT ${NODES_MAX}`),
  ]);
  const cost = await readTickCost(db);
  const presence = await presenceOf(
    env,
    nodes.map((node) => node.controller_id),
  );
  const byStatus = (kind: StatusCount['kind']) =>
    statuses.filter((row) => row.kind === kind).map(({ status, count }) => ({ labels: { status }, value: count }));
  const one = (value: number) => [{ value }];
  const overdueMs = queue.next_due_at === null ? 0 : Math.max(0, now - queue.next_due_at);
  return [
    {
      name: 'conductor_system_mode',
      help: '1 for the present mode of the system.',
      type: 'gauge',
      samples: SYSTEM_MODES.map((mode) => ({ labels: { mode }, value: mode === system.mode ? 1 : 0 })),
    },
    counter('conductor_system_mode_changes_total', 'Changes of the system mode.', system.version),
    counter('conductor_leader_terms_total', 'Leader terms granted: the current term.', lease.term),
    gauge('conductor_leader_held', '1 while a node leads.', one(lease.holder_id === null ? 0 : 1)),
    counter('conductor_messages_total', 'Messages ingested.', totals.messages),
    counter('conductor_event_batches_total', 'Commits that announced events.', totals.events),
    counter(
      'conductor_audited_writes_total',
      'Writes recorded in the audit; what nodes report about instructions is in the journal.',
      totals.writes,
    ),
    counter('conductor_ticks_total', 'Ticks of the timed jobs.', totals.ticks),
    gauge('conductor_tick_mean_ms', `Mean duration of the newest ${WINDOW} ticks.`, one(ticks.mean_ms)),
    gauge('conductor_tick_max_ms', `Longest of the newest ${WINDOW} ticks.`, one(ticks.max_ms)),
    ...(cost === undefined
      ? []
      : [
          gauge('conductor_tick_rows_read', `D1 rows that the newest tick read; ${PER_REQUEST}`, one(cost.rows_read)),
          gauge(
            'conductor_tick_rows_written',
            `D1 rows that the newest tick wrote; ${PER_REQUEST}`,
            one(cost.rows_written),
          ),
        ]),
    gauge('conductor_renewal_jobs', 'Renewal jobs that are open.', [
      { labels: { state: 'pending' }, value: queue.pending },
      { labels: { state: 'due' }, value: queue.due },
      { labels: { state: 'running' }, value: queue.running },
    ]),
    gauge('conductor_tasks', 'Tasks that are open.', [
      { labels: { status: 'queued' }, value: taskCounts.queued },
      { labels: { status: 'running' }, value: taskCounts.running },
      { labels: { status: 'blocked' }, value: taskCounts.blocked },
    ]),
    gauge('conductor_runs_live', 'Runs that a node has.', one(taskCounts.runs)),
    gauge('conductor_runs_recent', `Newest ${WINDOW} runs by status.`, byStatus('run')),
    gauge('conductor_renewal_overdue_ms', 'How long the earliest pending job is overdue.', one(overdueMs)),
    gauge('conductor_deliveries_recent', `Newest ${WINDOW} renewal jobs by status.`, byStatus('job')),
    gauge('conductor_instructions_recent', `Newest ${WINDOW} instructions by status.`, byStatus('instruction')),
    gauge(
      'conductor_node_connected',
      '1 while the node has a channel.',
      nodes.map(({ controller_id }) => ({
        labels: { controller_id },
        value: presence(controller_id).connected ? 1 : 0,
      })),
    ),
    gauge(
      'conductor_outbox_depth',
      'Rows waiting in the outbox of a node, as its heartbeat reports.',
      nodes.flatMap(({ controller_id, outbox_depth }) =>
        typeof outbox_depth === 'number' ? [{ labels: { controller_id }, value: outbox_depth }] : [],
      ),
    ),
  ];
}

/** The cost of the newest tick with a completed entry; undefined when the newest few have none. */
function readTickCost(db: Database): Promise<TickCost | undefined> {
  return db.get<TickCost | undefined>(sql`SELECT entry.value->>'rows_read' AS rows_read,
      entry.value->>'rows_written' AS rows_written
    FROM (SELECT entries, tick_seq FROM ticks ORDER BY tick_seq DESC LIMIT ${COST_WINDOW}) AS t,
      json_each(${storedJson(sql`t.entries`, '[]')}) AS entry
    WHERE entry.value->>'stage' = 'tick_completed' AND entry.value->>'rows_read' IS NOT NULL
    ORDER BY t.tick_seq DESC LIMIT 1`);
}

function readStatusCounts(db: Database): Promise<StatusCount[]> {
  return db.all<StatusCount>(sql`SELECT 'instruction' AS kind, status, count(*) AS count
      FROM (SELECT status FROM instructions ORDER BY instruction_id DESC LIMIT ${WINDOW}) GROUP BY status
    UNION ALL SELECT 'job', status, count(*)
      FROM (SELECT status FROM renewal_jobs ORDER BY job_id DESC LIMIT ${WINDOW}) GROUP BY status
    UNION ALL SELECT 'run', status, count(*)
      FROM (SELECT status FROM runs ORDER BY run_id DESC LIMIT ${WINDOW}) GROUP BY status`);
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'gauge', samples };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, help, type: 'counter', samples: [{ value }] };
}
