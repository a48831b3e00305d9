/** Every metric of `GET /v1/metrics`, once; docs/metrics.md has the same table. */
import { PAUSE_REASONS } from '../../schema/contracts/conversations.ts';
import { INSTRUCTION_STATES } from '../../schema/contracts/instructions.ts';
import { RUN_STATUSES } from '../../schema/contracts/runs.ts';
import type { CountedOutcome, DeliveryKind } from '../../schema/contracts/stats.ts';
import { SYSTEM_MODES } from '../../schema/contracts/system.ts';
import { TASK_STATUSES } from '../../schema/contracts/tasks.ts';
import { COUNTER, histogramOf, LATENESS, TICK_DURATION } from '../../schema/domain/counters.ts';
import { isFinalStatus, isStoppedStatus, OPEN_STATES } from '../../schema/domain/instruction-machine.ts';
import { isLiveRun } from '../../schema/domain/run-machine.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import type { Facts, Metric, Sample } from './metric.ts';
import { counter, counterBy, gauge, gaugeBy, histogram } from './metric.ts';

const OUTCOMES: Readonly<Record<DeliveryKind, readonly CountedOutcome[]>> = {
  renewal: ['delivered', 'failed', 'deferred', 'uncertain'],
  reply: ['delivered', 'failed', 'uncertain', 'given_up'],
  task_report: ['delivered', 'failed', 'uncertain'],
};

/** A sample for each word, of which the counter may have none yet: a rate needs its zero. */
function counted(label: string, words: readonly string[], name: (word: string) => string) {
  return ({ counts }: Facts): Sample[] =>
    words.map((word) => ({ labels: { [label]: word }, value: counts[name(word)] ?? 0 }));
}

function deliveries({ counts }: Facts): Sample[] {
  return (Object.keys(OUTCOMES) as DeliveryKind[]).flatMap((kind) =>
    OUTCOMES[kind].map((outcome) => ({
      labels: { kind, outcome },
      value: counts[COUNTER.deliveries(kind, outcome)] ?? 0,
    })),
  );
}

function overdueSeconds({ now, queue: { next_due_at } }: Facts): number {
  return next_due_at === null ? 0 : Math.max(0, now - next_due_at) / 1_000;
}

/** A sample for each node that has reported the number. */
function reported(field: 'depth' | 'refused') {
  return ({ nodes }: Facts): Sample[] =>
    nodes.flatMap((node) => {
      const value = node[field];
      return value === null ? [] : [{ labels: { controller_id: node.controller_id }, value }];
    });
}

export const METRICS: readonly Metric[] = [
  gaugeBy('conductor_system_mode', ['mode'], '1 for the present mode of the system.', ({ system }) =>
    SYSTEM_MODES.map((mode) => ({ labels: { mode }, value: mode === system.mode ? 1 : 0 })),
  ),
  counter('conductor_system_mode_changes_total', 'Changes of the mode.', ({ system }) => system.version),
  counter('conductor_leader_terms_total', 'Changes of the lease: the terms granted.', ({ lease }) => lease.term),
  gauge('conductor_leader_held', '1 while a node leads.', ({ lease }) => (lease.holder_id === null ? 0 : 1)),
  counter('conductor_messages_total', 'Messages ingested.', ({ newest }) => newest.messages),
  counter('conductor_event_batches_total', 'Commits that announced something.', ({ newest }) => newest.events),
  counter(
    'conductor_audited_writes_total',
    'Writes in the audit. What nodes report about instructions is in the journal.',
    ({ newest }) => newest.writes,
  ),
  counter('conductor_ticks_total', 'Ticks of the timed jobs.', ({ newest }) => newest.ticks),
  histogram('conductor_tick_duration_seconds', 'How long a tick took.', (counts) => histogramOf(TICK_DURATION, counts)),
  gaugeBy('conductor_renewal_jobs', ['state'], 'Open renewal jobs; `due` are among the pending ones.', ({ queue }) => [
    { labels: { state: 'pending' }, value: queue.pending },
    { labels: { state: 'due' }, value: queue.due },
    { labels: { state: 'running' }, value: queue.running },
  ]),
  gauge(
    'conductor_renewal_overdue_seconds',
    'How long the earliest pending renewal job has been due; 0 when none is due.',
    overdueSeconds,
  ),
  histogram('conductor_renewal_lateness_seconds', 'From when a renewal was due to the tick that sent it.', (counts) =>
    histogramOf(LATENESS, counts),
  ),
  counterBy(
    'conductor_deliveries_total',
    ['kind', 'outcome'],
    'Attempts to put a renewal, a reply or the report of a task into a chat, by how they ended.',
    deliveries,
  ),
  gaugeBy('conductor_instructions', ['status'], 'Open instructions.', ({ instructions }) =>
    OPEN_STATES.map((status) => ({ labels: { status }, value: instructions[status] ?? 0 })),
  ),
  counterBy(
    'conductor_instructions_ended_total',
    ['status'],
    'Instructions that have ended.',
    counted('status', INSTRUCTION_STATES.filter(isFinalStatus), COUNTER.instructions),
  ),
  counterBy(
    'conductor_instructions_stopped_total',
    ['status'],
    'Times that an instruction was blocked or expired.',
    counted('status', INSTRUCTION_STATES.filter(isStoppedStatus), COUNTER.instructions),
  ),
  counterBy(
    'conductor_conversations_paused_total',
    ['reason'],
    'Pauses of conversations, by people, chats and the breaker.',
    counted('reason', PAUSE_REASONS, COUNTER.pauses),
  ),
  gaugeBy('conductor_tasks', ['status'], 'Open tasks.', ({ tasks }) =>
    (['queued', 'running', 'blocked'] as const).map((status) => ({ labels: { status }, value: tasks[status] })),
  ),
  counterBy(
    'conductor_tasks_ended_total',
    ['status'],
    'Tasks that have ended.',
    counted('status', TASK_STATUSES.filter(isEndedTask), COUNTER.tasks),
  ),
  gauge('conductor_runs_live', 'Runs that a node has.', ({ tasks }) => tasks.runs),
  counterBy(
    'conductor_runs_ended_total',
    ['status'],
    'Runs that have ended.',
    counted(
      'status',
      RUN_STATUSES.filter((status) => !isLiveRun(status)),
      COUNTER.runs,
    ),
  ),
  gaugeBy('conductor_node_connected', ['controller_id'], '1 while the node has a channel.', ({ nodes }) =>
    nodes.map(({ controller_id, connected }) => ({ labels: { controller_id }, value: connected ? 1 : 0 })),
  ),
  gaugeBy(
    'conductor_outbox_depth',
    ['controller_id'],
    'Requests that waited in the outbox of the node when it last reported.',
    reported('depth'),
  ),
  gaugeBy(
    'conductor_outbox_refused',
    ['controller_id'],
    'Requests of the outbox that the edge has refused and the node keeps for a person.',
    reported('refused'),
  ),
  gaugeBy(
    'conductor_browser_stopped',
    ['client_id', 'platform', 'reason'],
    '1 while the browser delivers nothing to the platform until a person resumes it.',
    ({ browsers }) =>
      browsers.flatMap(({ client_id, platform, stopped_reason: reason }) =>
        reason === null ? [] : [{ labels: { client_id, platform, reason }, value: 1 }],
      ),
  ),
  gaugeBy(
    'conductor_delivery_breaker_open',
    ['client_id', 'platform'],
    '1 while the breaker of the browser for the platform is open or tries one delivery.',
    ({ browsers }) =>
      browsers.flatMap(({ client_id, platform, breaker }) =>
        breaker === null ? [] : [{ labels: { client_id, platform }, value: breaker === 'closed' ? 0 : 1 }],
      ),
  ),
  counter(
    'conductor_d1_rows_read_total',
    'Rows of D1 that the edge has read.',
    ({ counts }) => counts[COUNTER.rows_read] ?? 0,
  ),
  counter(
    'conductor_d1_rows_written_total',
    'Rows of D1 that the edge has written, index entries included.',
    ({ counts }) => counts[COUNTER.rows_written] ?? 0,
  ),
];
