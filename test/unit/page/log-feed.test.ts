import { describe, expect, it } from 'vitest';
import { gapLine } from '../../../schema/domain/log-gap.ts';
import { LogFeed, MAX_LINES } from '../../../workers/page/live/log-feed.ts';
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
    sleep: async () => undefined,
    onChange: () => undefined,
  });
  return { feed, offsets };
}

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
    await feed.run();
    expect(offsets).toEqual([0, 9]);
    expect(feed.lines).toEqual(['first', 'second', '']);
  });

  it('that breaks off behind a line about missing bytes continues behind those bytes', async () => {
    const { feed, offsets } = feedOf([bytes(`ab${gapLine(1000)}c`), new Error('broken')], [bytes('d\n')]);
    await feed.run();
    expect(offsets).toEqual([0, 1003]);
  });

  it('keeps a bounded number of lines, and says that others are left out', async () => {
    const { feed } = feedOf([bytes('x\n'.repeat(3 * MAX_LINES))]);
    await feed.run();
    expect(feed.lines.length).toBeLessThanOrEqual(MAX_LINES);
    expect(feed.isCut).toBe(true);
  });

  it('gives up when nothing comes again and again', async () => {
    const { feed, offsets } = feedOf();
    await feed.run();
    expect(feed.state).toBe('broken');
    expect(offsets.length).toBeLessThan(50);
  });
});

describe('the text of a log', () => {
  it('has no codes for a terminal, and shows other control characters', () => {
    expect(textOfLog(['\u001b[31mred\u001b[0m', '\u001b]0;title\u0007x\u0000'])).toBe('red\nx\\u{0}');
  });
});
