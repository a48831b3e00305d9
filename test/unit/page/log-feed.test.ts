import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gapLine } from '../../../schema/domain/log-gap.ts';
import { LogFeed, MAX_LINES, RETRY_MAX_MS, SILENT_MS } from '../../../workers/page/live/log-feed.ts';
import { textOfLog } from '../../../workers/page/parts/log-text.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Bodies that the edge sends one after the other; an error breaks its body off. */
function feedOf(...bodies: (Uint8Array | Error)[][]) {
  const offsets: number[] = [];
  const feed = new LogFeed({
    open: async (offset) => {
      offsets.push(offset);
      const body = bodies.shift();
      if (body === undefined) throw new Error('no more');
      return (async function* () {
        for (const part of body) {
          if (part instanceof Error) throw part;
          yield part;
        }
      })();
    },
    onChange: () => undefined,
  });
  return { feed, offsets };
}

/** A feed of an edge whose bodies stay open until the reader leaves or the connection breaks. */
function followed() {
  const opened: number[] = [];
  const offsets: number[] = [];
  let body: ReadableStreamDefaultController<Uint8Array> | null = null;
  const edge = {
    isAway: false,
    async prints(text: string) {
      await pass(0);
      body?.enqueue(bytes(text));
      await pass(0);
    },
    breaksOff: () => body?.error(new Error('broken')),
  };
  const feed = new LogFeed({
    open: async (offset, signal) => {
      opened.push(Date.now());
      offsets.push(offset);
      if (edge.isAway) throw new Error('no connection');
      return new ReadableStream<Uint8Array>({
        start(controller) {
          body = controller;
          signal.addEventListener('abort', () => controller.error(signal.reason));
        },
      });
    },
    onChange: () => undefined,
  });
  return { feed, opened, offsets, edge };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a log that is followed', () => {
  it('is the lines as they came, also when a character or a line is cut in two', async () => {
    const whole = bytes('one\ntwö\nthree');
    const { feed } = feedOf([whole.slice(0, 7), whole.slice(7)]);
    await feed.run();
    expect(feed.lines).toEqual(['one', 'twö', 'three']);
    expect(feed.state).toBe('ended');
  });

  it('continues behind what has arrived when it breaks off', async () => {
    const { feed, offsets } = feedOf([bytes('first\nsec'), new Error('broken')], [bytes('ond\n')]);
    await Promise.all([feed.run(), pass(RETRY_MAX_MS)]);
    expect(offsets).toEqual([0, 9]);
    expect(feed.lines).toEqual(['first', 'second', '']);
  });

  it('that breaks off behind a line about missing bytes continues behind those bytes', async () => {
    const { feed, offsets } = feedOf([bytes(`ab${gapLine(1000)}c`), new Error('broken')], [bytes('d\n')]);
    await Promise.all([feed.run(), pass(RETRY_MAX_MS)]);
    expect(offsets).toEqual([0, 1003]);
  });

  it('keeps a bounded number of lines, and says that others are left out', async () => {
    const { feed } = feedOf([bytes('x\n'.repeat(3 * MAX_LINES))]);
    await feed.run();
    expect(feed.lines.length).toBeLessThanOrEqual(MAX_LINES);
    expect(feed.isCut).toBe(true);
  });

  it('is read on after the edge was away for longer than any number of tries, at growing distances', async () => {
    const { feed, opened, edge } = followed();
    edge.isAway = true;
    void feed.run();
    await pass(3_600_000);
    expect(feed.state).toBe('broken');
    const gaps = opened.slice(1).map((at, n) => at - (opened[n] ?? 0));
    expect(gaps.slice(0, 5)).toEqual([2_000, 4_000, 8_000, 16_000, 30_000]);
    expect(Math.max(...gaps)).toBe(RETRY_MAX_MS);
    edge.isAway = false;
    await pass(RETRY_MAX_MS);
    expect(feed.state).toBe('live');
    feed.stop();
  });

  it('is read on at once when the connection is back, from where it ended', async () => {
    const { feed, offsets, edge } = followed();
    void feed.run();
    await edge.prints('first\n');
    edge.isAway = true;
    edge.breaksOff();
    await pass(600_000);
    edge.isAway = false;
    feed.again();
    await pass(0);
    expect([feed.state, offsets.at(-1)]).toEqual(['live', 6]);
    await edge.prints('second\n');
    expect(feed.lines).toEqual(['first', 'second', '']);
    feed.stop();
  });

  it('that says nothing for a while is opened again, as its other end may be gone, and one that prints is not', async () => {
    const { feed, opened, edge } = followed();
    void feed.run();
    for (let n = 0; n < 5; n += 1) {
      await pass(SILENT_MS - 1_000);
      await edge.prints('.');
    }
    expect(opened).toHaveLength(1);
    await pass(SILENT_MS);
    expect([feed.state, opened.length]).toEqual(['live', 2]);
    // The second one has said nothing at all.
    await pass(SILENT_MS);
    expect(opened).toHaveLength(3);
    feed.stop();
    await pass(10 * SILENT_MS);
    expect(opened).toHaveLength(3);
  });
});

describe('the text of a log', () => {
  it('has no codes for a terminal, and shows other control characters', () => {
    expect(textOfLog(['\u001b[31mred\u001b[0m', '\u001b]0;title\u0007x\u0000'])).toBe('red\nx\\u{0}');
  });
});
