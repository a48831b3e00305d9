/** A metric as a value: what it is called, what it means, and how its samples come out of what was read. */
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { Histogram } from '../../schema/contracts/stats.ts';
import type { Status } from '../../schema/contracts/status.ts';
import type { SystemState } from '../../schema/contracts/system.ts';
import type { Counts } from '../../schema/domain/counters.ts';

export interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
  /** Of a histogram: what follows the name. */
  suffix?: '_bucket' | '_sum' | '_count';
}

/** All that a scrape reads. */
export interface Facts {
  now: number;
  system: SystemState;
  lease: LeaseView;
  queue: Status['renewal'];
  tasks: Status['tasks'];
  /** Open instructions, by status. */
  instructions: Readonly<Record<string, number>>;
  /** The newest number of what is numbered without a gap. */
  newest: { messages: number; events: number; writes: number; ticks: number };
  nodes: readonly { controller_id: string; connected: boolean; depth: number | null; refused: number | null }[];
  browsers: readonly {
    client_id: string;
    platform: string;
    stopped_reason: string | null;
    breaker: string | null;
  }[];
  counts: Counts;
}

export interface Metric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  samples: (facts: Facts) => readonly Sample[];
}

type One = (facts: Facts) => number;
type Many = (facts: Facts) => readonly Sample[];

export function gauge(name: string, help: string, value: One): Metric {
  return { name, type: 'gauge', help, labels: [], samples: (facts) => [{ value: value(facts) }] };
}

export function counter(name: string, help: string, value: One): Metric {
  return { ...gauge(name, help, value), type: 'counter' };
}

export function gaugeBy(name: string, labels: readonly string[], help: string, samples: Many): Metric {
  return { name, type: 'gauge', help, labels, samples };
}

export function counterBy(name: string, labels: readonly string[], help: string, samples: Many): Metric {
  return { name, type: 'counter', help, labels, samples };
}

const MS_PER_SEC = 1_000;

/** In seconds, as Prometheus has them. Each bucket counts all that are not above its bound. */
export function histogram(name: string, help: string, read: (counts: Counts) => Histogram): Metric {
  return {
    name,
    type: 'histogram',
    help,
    labels: [],
    samples: ({ counts }) => {
      const { buckets, count, sum_ms } = read(counts);
      let below = 0;
      return [
        ...buckets.map((bucket): Sample => {
          below += bucket.count;
          const le = bucket.le_ms === null ? '+Inf' : String(bucket.le_ms / MS_PER_SEC);
          return { suffix: '_bucket', labels: { le }, value: below };
        }),
        { suffix: '_sum', value: sum_ms / MS_PER_SEC },
        { suffix: '_count', value: count },
      ];
    },
  };
}
