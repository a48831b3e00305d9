import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventTopic } from '../../../schema/contracts/events.ts';
import type { EventStream } from '../../../workers/page/live/live.ts';
import { GRACE_MS, Live, POLL_MS, SILENT_MS } from '../../../workers/page/live/live.ts';

/** An EventSource whose server the test plays. */
class FakeStream implements EventStream {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly path: string;
  readonly #listeners = new Map<string, (event: { lastEventId: string }) => void>();

  constructor(path: string) {
    this.path = path;
  }
  addEventListener(name: string, listener: (event: { lastEventId: string }) => void): void {
    this.#listeners.set(name, listener);
  }
  close(): void {
    this.readyState = 2;
  }
  accepts(): void {
    this.readyState = 1;
    this.onopen?.(undefined as never);
  }
  sends(name: string, lastEventId: string): void {
    this.#listeners.get(name)?.({ lastEventId });
  }
  ends(readyState: 0 | 2): void {
    this.readyState = readyState;
    this.onerror?.(undefined as never);
  }
}

let streams: FakeStream[];
let changes: (readonly EventTopic[] | null)[];
let refusals: number;
let live: Live;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  streams = [];
  changes = [];
  refusals = 0;
  live = new Live({
    open: (path) => {
      const stream = new FakeStream(path);
      streams.push(stream);
      return stream;
    },
    now: Date.now,
    onChange: (topics) => changes.push(topics),
    onRefused: () => {
      refusals += 1;
    },
  });
  live.start();
});
afterEach(() => {
  live.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
function newest(): FakeStream {
  const stream = streams.at(-1);
  if (stream === undefined) throw new Error('no stream was opened');
  return stream;
}

describe('the live connection', () => {
  it('says which topics changed', () => {
    newest().accepts();
    changes.length = 0;
    newest().sends('tasks', '7');
    newest().sends('reset', '9');
    expect(live.state).toBe('live');
    expect(changes).toEqual([['tasks'], null]);
  });

  it('stays live while the edge ends a stream and the browser opens the next', async () => {
    newest().accepts();
    const states: string[] = [];
    live.subscribe(() => states.push(live.state));
    for (let n = 0; n < 5; n += 1) {
      await pass(25_000);
      newest().ends(0);
      await pass(1_000);
      newest().accepts();
    }
    expect(states).toEqual([]);
    expect(streams).toHaveLength(1);
  });

  it('polls while there is no stream, and reads everything once when there is one again', async () => {
    newest().accepts();
    newest().ends(0);
    changes.length = 0;
    await pass(GRACE_MS + 2_000);
    expect(live.state).toBe('polling');
    await pass(2 * POLL_MS);
    expect(changes).toEqual([null, null, null]);
    newest().accepts();
    expect(live.state).toBe('live');
    expect(changes).toHaveLength(4);
    await pass(2 * POLL_MS);
    expect(changes).toHaveLength(4);
  });

  it('opens a new stream, from the last event on, when the old one has been silent for too long', async () => {
    newest().accepts();
    newest().sends('tasks', '41');
    await pass(SILENT_MS + 2_000);
    expect(streams.map(({ path }) => path)).toEqual(['/v1/events', '/v1/events?last_event_id=41']);
    const [old] = streams;
    old?.sends('tasks', '1');
    newest().accepts();
    expect(live.state).toBe('live');
  });

  it.each([
    ['keeps a stream that says nothing', (stream: FakeStream) => void stream],
    ['finds its stream broken', (stream: FakeStream) => stream.ends(0)],
  ])(
    'is not live from the first look on after the machine slept and it %s, and reads everything',
    async (_how, wake) => {
      newest().accepts();
      changes.length = 0;
      vi.setSystemTime(Date.now() + 3_600_000);
      wake(newest());
      await pass(1_000);
      expect(live.state).toBe('polling');
      expect(changes).toEqual([null]);
      newest().accepts();
      expect(live.state).toBe('live');
      expect(changes).toEqual([null, null]);
    },
  );

  it('asks about the session when the edge refuses the stream, and tries again', async () => {
    newest().ends(2);
    expect(refusals).toBe(1);
    await pass(6_000);
    expect(streams.length).toBeGreaterThan(1);
  });
});
