import { beforeEach, describe, expect, it } from 'vitest';
import { TurnBatch } from '../../../durable-objects/shared/turn-batch.ts';

let flushed: string[][];
let failed: string[][];
let release: () => void;
let batch: TurnBatch<string>;

beforeEach(() => {
  flushed = [];
  failed = [];
  batch = new TurnBatch<string>(
    (items) => {
      flushed.push(items);
      return new Promise((resolve, reject) => {
        release = () => (items.includes('bad') ? reject(new Error('no')) : resolve());
      });
    },
    (items) => failed.push(items),
  );
});

/** Ends the batch in flight, and waits for the one after it. */
async function next(count: number): Promise<void> {
  release();
  await expect.poll(() => flushed).toHaveLength(count);
}
async function idle(): Promise<void> {
  release();
  await new Promise((resolve) => setTimeout(resolve, 0));
}

describe('a turn batch', () => {
  it('flushes a single item at once, without waiting for the end of the turn', async () => {
    batch.add('a');
    expect(flushed).toEqual([['a']]);
    await idle();
    batch.add('b');
    expect(flushed).toEqual([['a'], ['b']]);
  });

  it('has one batch in flight; items that arrive meanwhile are the next one, in order', async () => {
    for (const item of ['a', 'b', 'c']) batch.add(item);
    expect(flushed).toEqual([['a']]);
    await next(2);
    batch.add('d');
    await next(3);
    expect(flushed).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('waits for all items of the turn after a batch of several', async () => {
    for (const item of ['a', 'b', 'c']) batch.add(item);
    await next(2);
    await idle();
    for (const item of ['d', 'e', 'f']) batch.add(item);
    expect(flushed).toHaveLength(2);
    await next(3);
    expect(flushed[2]).toEqual(['d', 'e', 'f']);
  });

  it('flushes at once again after a batch of one', async () => {
    for (const item of ['a', 'b', 'c']) batch.add(item);
    await next(2);
    await idle();
    batch.add('d');
    await next(3);
    await idle();
    batch.add('e');
    expect(flushed.at(-1)).toEqual(['e']);
  });

  it('reports a batch that failed and flushes the next', async () => {
    batch.add('bad');
    batch.add('good');
    await next(2);
    expect(failed).toEqual([['bad']]);
    expect(flushed[1]).toEqual(['good']);
  });
});
