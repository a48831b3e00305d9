import { describe, expect, it } from 'vitest';
import type { CountedEvent } from '../../../schema/domain/counters.ts';
import { addCounts, countCommit, endsAmong, grownBy, histogramOf, observe } from '../../../schema/domain/counters.ts';

const event = (topic: string, type: string, data: Record<string, unknown> = {}): CountedEvent => ({
  topic,
  type,
  data,
});
const countOf = (...events: CountedEvent[]) => countCommit(events, null);

describe('what a commit adds to the counters', () => {
  it('is a delivery for each attempt of a renewal that has ended, and none for a step that sent nothing', () => {
    expect(
      countOf(
        event('renewal', 'job_completed', { outcome: 'delivered' }),
        event('renewal', 'job_retry_scheduled', { outcome: 'failed' }),
        event('renewal', 'job_failed', { outcome: 'failed' }),
        event('renewal', 'job_deferred', { outcome: 'deferred' }),
        event('renewal', 'job_retry_scheduled', { outcome: 'unknown' }),
        event('renewal', 'job_failed', { result: 'delivery_unknown' }),
        event('renewal', 'job_deferred', { result: 'automation_manual' }),
        event('renewal', 'job_uncertain', { outcome: 'uncertain' }),
      ),
    ).toEqual({
      'deliveries/renewal/delivered': 1,
      'deliveries/renewal/failed': 3,
      'deliveries/renewal/deferred': 1,
      'deliveries/renewal/uncertain': 1,
    });
  });

  it('is a delivery for the outcome of a reply, and none for the end of a message', () => {
    expect(countOf(event('messages', 'reply_given_up'), event('messages', 'failed'))).toEqual({
      'deliveries/reply/given_up': 1,
    });
  });

  it('is the end of instructions, tasks, runs and reports, and the pause of a conversation, by its word', () => {
    expect(
      countCommit(
        [
          event('messages', 'ingested', { ended: { denied: 2 } }),
          event('tasks', 'ended', { status: 'done' }),
          event('tasks', 'changed', { status: 'running' }),
          event('tasks', 'notice', { status: 'delivered' }),
          event('tasks', 'notice', { status: 'sending' }),
          event('runs', 'ended', { status: 'lost' }),
          event('conversations', 'automation_changed', {
            automation_status: 'paused',
            pause_reason: 'execution_failure',
          }),
          event('conversations', 'automation_changed', { automation_status: 'auto', pause_reason: null }),
        ],
        { succeeded: 3 },
      ),
    ).toEqual({
      'instructions/succeeded': 3,
      'instructions/denied': 2,
      'tasks/done': 1,
      'deliveries/task_report/delivered': 1,
      'runs/lost': 1,
      'pauses/execution_failure': 1,
    });
  });

  it('has no name that an event made up', () => {
    expect(
      countCommit(
        [
          event('runs', 'ended', { status: '__proto__' }),
          event('tasks', 'ended', { status: 7 }),
          event('messages', 'ingested', { ended: { denied: 'many', made_up: 1 } }),
          event('unknown', 'ended', { status: 'done' }),
        ],
        { made_up: 2 },
      ),
    ).toEqual({});
  });
});

describe('the statuses that end an instruction', () => {
  it('are counted, and the others are not', () => {
    expect(endsAmong(['succeeded', 'running', 'blocked', 'succeeded', 'shadowed'])).toEqual({
      succeeded: 2,
      shadowed: 1,
    });
    expect(endsAmong(['claimed', 'expired'])).toBeNull();
  });
});

describe('a histogram', () => {
  const kind = { name: 'h', bounds_ms: [10, 100] };
  it('counts each value once, in the first bucket that holds it', () => {
    const counts = addCounts(...[0, 10, 10.4, 11, 100, 101, 5_000, -3].map((ms) => observe(kind, ms)));
    expect(histogramOf(kind, counts)).toEqual({
      count: 8,
      sum_ms: 5_232,
      buckets: [
        { le_ms: 10, count: 4 },
        { le_ms: 100, count: 2 },
        { le_ms: null, count: 2 },
      ],
    });
  });
});

describe('how counters have grown', () => {
  it('is the difference, of a new one its value, and never less than nothing', () => {
    expect(grownBy({ a: 2, b: 5 }, { a: 3, b: 4, c: 1 })).toEqual({ a: 1, b: 0, c: 1 });
  });
});
