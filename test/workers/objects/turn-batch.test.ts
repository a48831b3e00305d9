import { beforeEach, describe, expect, it, vi } from 'vitest';
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

/** Lets the batch in flight end, and waits for the one after it. */
async function next(count: number): Promise<void> {
  release();
  await vi.waitFor(() => expect(flushed).toHaveLength(count));
}
async function idle(): Promise<void> {
  release();
  await new Promise((resolve) => setTimeout(resolve, 0));
}

describe('a batch of what arrives together', () => {
  it('sends what comes alone at once, without waiting for the end of the turn', async () => {
    batch.add('a');
    expect(flushed).toEqual([['a']]);
    await idle();
    batch.add('b');
    expect(flushed).toEqual([['a'], ['b']]);
  });

  it('has one batch in flight; what arrives meanwhile is the next one, in order', async () => {
    for (const item of ['a', 'b', 'c']) batch.add(item);
    expect(flushed).toEqual([['a']]);
    await next(2);
    batch.add('d');
    await next(3);
    expect(flushed).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('takes the whole turn together once there was company', async () => {
    for (const item of ['a', 'b', 'c']) batch.add(item);
    await next(2);
    await idle();
    for (const item of ['d', 'e', 'f']) batch.add(item);
    expect(flushed).toHaveLength(2);
    await next(3);
    expect(flushed[2]).toEqual(['d', 'e', 'f']);
  });

  it('goes back to sending at once when company is gone', async () => {
    for (const item of ['a', 'b', 'c']) batch.add(item);
    await next(2);
    await idle();
    batch.add('d');
    await next(3);
    await idle();
    batch.add('e');
    expect(flushed.at(-1)).toEqual(['e']);
  });

  it('reports a batch that failed and goes on with the next', async () => {
    batch.add('bad');
    batch.add('good');
    await next(2);
    expect(failed).toEqual([['bad']]);
    expect(flushed[1]).toEqual(['good']);
  });
});
