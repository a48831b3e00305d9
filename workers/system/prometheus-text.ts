/** Metrics in the text format of Prometheus. */
import type { Facts, Metric } from './metric.ts';

/** One block per metric. A metric without samples is left out. */
export function renderMetrics(metrics: readonly Metric[], facts: Facts): string {
  return metrics
    .map(({ name, help, type, samples }) => ({ name, help, type, found: samples(facts) }))
    .filter(({ found }) => found.length > 0)
    .map(({ name, help, type, found }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...found.map(({ suffix = '', labels = {}, value }) => `${name}${suffix}${renderLabels(labels)} ${value}`),
        '',
      ].join('\n'),
    )
    .join('');
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
