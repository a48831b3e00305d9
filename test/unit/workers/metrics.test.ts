/**
 * The metrics as programs of others see them: the text is read by a parser of its format, and every expression of the
 * sample alerts and of the sample dashboard by the grammar of PromQL.
 */
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import parseText from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { observe, TICK_DURATION } from '../../../schema/domain/counters.ts';
import type { Facts } from '../../../workers/system/metric.ts';
import { METRICS } from '../../../workers/system/metrics-table.ts';
import { renderMetrics } from '../../../workers/system/prometheus-text.ts';

const FACTS = {
  now: 100_000,
  system: { mode: 'draining', version: 7 },
  lease: { holder_id: null, term: 4 },
  queue: { pending: 3, running: 1, due: 2, next_due_at: 40_000 },
  tasks: { queued: 1, running: 2, blocked: 3, runs: 4 },
  instructions: { awaiting_approval: 5 },
  newest: { messages: 10, events: 20, writes: 30, ticks: 40 },
  nodes: [
    { controller_id: 'a "quoted" \\ name\nof two lines', connected: true, depth: 2, refused: null },
    { controller_id: 'b', connected: false, depth: null, refused: 1 },
  ],
  browsers: [
    { client_id: 'x', platform: 'claude', stopped_reason: 'signed_out', breaker: 'closed' },
    { client_id: 'x', platform: 'chatgpt', stopped_reason: null, breaker: 'half_open' },
  ],
  counts: {
    'deliveries/reply/failed': 6,
    'instructions/succeeded': 8,
    [Object.keys(observe(TICK_DURATION, 30))[0] ?? '']: 2,
    'tick_duration/more': 1,
    'tick_duration/sum_ms': 7_060,
    'd1/rows_read': 1_234_567,
  },
} as unknown as Facts;

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const text = renderMetrics(METRICS, FACTS);
const families = new Map(parseText(text).map((family) => [family.name, family]));
const sampleValue = (name: string, labels: Record<string, string> = {}) =>
  families.get(name)?.metrics.find((one) => JSON.stringify(one.labels ?? {}) === JSON.stringify(labels))?.value;

describe('the text of the metrics, read by a parser of its format', () => {
  it('has every metric of the table, once, with its type and its meaning', () => {
    const read = [...families.values()].map(({ name, type, help }) => [name, type.toLowerCase(), help]);
    expect(read).toEqual(METRICS.map(({ name, type, help }) => [name, type, help]));
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  });

  it.each([
    ['conductor_system_mode', { mode: 'draining' }, 1],
    ['conductor_system_mode', { mode: 'running' }, 0],
    ['conductor_leader_held', {}, 0],
    ['conductor_leader_terms_total', {}, 4],
    ['conductor_renewal_overdue_seconds', {}, 60],
    ['conductor_deliveries_total', { kind: 'reply', outcome: 'failed' }, 6],
    ['conductor_deliveries_total', { kind: 'renewal', outcome: 'delivered' }, 0],
    ['conductor_instructions', { status: 'awaiting_approval' }, 5],
    ['conductor_instructions_ended_total', { status: 'succeeded' }, 8],
    ['conductor_tasks', { status: 'blocked' }, 3],
    ['conductor_outbox_refused', { controller_id: 'b' }, 1],
    ['conductor_browser_stopped', { client_id: 'x', platform: 'claude', reason: 'signed_out' }, 1],
    ['conductor_delivery_breaker_open', { client_id: 'x', platform: 'claude' }, 0],
    ['conductor_delivery_breaker_open', { client_id: 'x', platform: 'chatgpt' }, 1],
    ['conductor_d1_rows_read_total', {}, 1_234_567],
  ])('%s %o is %d', (name, labels, value) => {
    expect(Number(sampleValue(name, labels))).toBe(value);
  });

  it('has a zero for each word that a counter may have, so that its first rise is seen', () => {
    for (const { name, type, samples } of METRICS) {
      const none = samples({ ...FACTS, counts: {} });
      if (type === 'counter') expect(none.length, name).toBe(samples(FACTS).length);
    }
  });

  it('has a histogram in seconds, whose buckets each hold those below them', () => {
    const [histogram] = families.get('conductor_tick_duration_seconds')?.metrics ?? [];
    expect(histogram).toMatchObject({ count: '3', sum: '7.06' });
    expect(histogram?.buckets).toMatchObject({ '0.025': '0', '0.05': '2', '5': '2', '+Inf': '3' });
  });

  it('escapes what a label holds', () => {
    expect(text).toContain('conductor_node_connected{controller_id="a \\"quoted\\" \\\\ name\\nof two lines"} 1\n');
  });

  it('has the labels of the table, and counters that end in _total', () => {
    for (const { name, type, labels, samples } of METRICS) {
      for (const sample of samples(FACTS)) {
        const { le: _le, ...own } = sample.labels ?? {};
        expect(Object.keys(own), name).toEqual(labels);
      }
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
    }
  });
});

describe('docs/metrics.md', () => {
  it('has the table of the code', () => {
    const rows = [...page('metrics.md').matchAll(/^\| `(conductor_\w+)` \| (\w+) \| (.*) \| (.*) \|$/gm)].map(
      ([, name, type, labels, help]) => [name, type, labels, help],
    );
    const ours = METRICS.map(({ name, type, labels, help }) => [
      name,
      type,
      labels.map((label) => `\`${label}\``).join(', ') || '–',
      help,
    ]);
    expect(rows).toEqual(ours);
  });

  it('explains every sample alert', () => {
    const explained = [...page('metrics.md').matchAll(/^\| `(Conductor\w+)` \|/gm)].map(([, name]) => name);
    const alerts = [...page('monitoring/alerts.yml').matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name);
    expect(explained).toEqual(alerts);
    expect(alerts.length).toBeGreaterThan(4);
  });
});

describe('the alert of refused requests', () => {
  it('holds as long as they are there, so also when the first scrape has them', () => {
    const [rule = ''] = /- alert: ConductorOutboxRefused\n.*\n.*\n/.exec(page('monitoring/alerts.yml')) ?? [];
    expect(rule).toMatch(/expr: conductor_outbox_refused > 0\n +for: \d+m\n/);
  });
});

/** What Prometheus adds to every sample of a target. */
const TARGET_LABELS = ['job', 'instance'];
/** Of each name that an expression may read: its labels. */
const READABLE = new Map<string, readonly string[]>([
  ['up', []],
  ...METRICS.flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, ['le', ...labels]],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
]);

interface Expression {
  where: string;
  expr: string;
}
const alerts: Expression[] = [...page('monitoring/alerts.yml').matchAll(/^ +expr: (.+)$/gm)].map(([, expr = '']) => ({
  where: 'alert',
  expr,
}));
const dashboard = JSON.parse(page('monitoring/grafana-dashboard.json')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};
const panels: Expression[] = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({ where: title, expr })),
);

function namesIn(expr: string): { errors: number; metrics: string[]; labels: string[] } {
  const found = { errors: 0, metrics: [] as string[], labels: [] as string[] };
  parser.parse(expr).iterate({
    enter({ type, name, from, to }) {
      const word = expr.slice(from, to);
      if (type.isError) found.errors += 1;
      else if (name === 'Identifier') found.metrics.push(word);
      else if (name === 'LabelName') found.labels.push(word);
    },
  });
  return found;
}

describe('the expressions of the sample alerts and dashboard', () => {
  it('are read by the grammar of PromQL, which refuses a broken one', () => {
    expect(namesIn('sum by (le) (rate(x[5m])').errors).toBeGreaterThan(0);
    expect(namesIn('sum by (le) (rate(x{a="b"}[5m]))')).toEqual({ errors: 0, metrics: ['x'], labels: ['le', 'a'] });
  });

  it.each([...alerts, ...panels])('$where: $expr', ({ expr }) => {
    const { errors, metrics, labels } = namesIn(expr);
    expect(errors).toBe(0);
    for (const name of metrics) expect([...READABLE.keys()]).toContain(name);
    const known = metrics.flatMap((name) => READABLE.get(name) ?? []);
    for (const label of labels) expect([...known, ...TARGET_LABELS]).toContain(label);
  });
});
