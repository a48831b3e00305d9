import { describe, expect, it } from 'vitest';
import { KeyedQueue } from '../../../../local-agent/lib/keyed-queue.ts';

function failOnError(error: unknown): never {
  throw error;
}

describe('the keyed queue', () => {
  it('jobs of one key run one after the other, in the order of their arrival', async () => {
    const queue = new KeyedQueue(4, failOnError);
    const seen: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      queue.run('key', async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
      });
    }
    await queue.idle();
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('jobs of different keys run at the same time, up to the limit', async () => {
    const queue = new KeyedQueue(2, failOnError);
    let running = 0;
    let most = 0;
    for (let i = 0; i < 7; i++) {
      queue.run(`key ${i}`, async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      });
    }
    await queue.idle();
    expect(most).toBe(2);
  });

  it('a failed job is reported and the next one of its key runs', async () => {
    const errors: unknown[] = [];
    const queue = new KeyedQueue(1, (error) => errors.push(error));
    let ran = false;
    queue.run('key', () => Promise.reject(new Error('failed')));
    queue.run('key', async () => {
      ran = true;
    });
    await queue.idle();
    expect([ran, errors.length]).toEqual([true, 1]);
  });
});
