import { describe, expect, it } from 'vitest';
import { KeyedQueue } from '../../../../local-agent/lib/keyed-queue.ts';

const failNever = (error: unknown) => {
  throw error;
};

describe('lanes', () => {
  it('run the jobs of one lane one after the other, in their order', async () => {
    const lanes = new KeyedQueue(4, failNever);
    const seen: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      lanes.run('lane', async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
      });
    }
    await lanes.idle();
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('run beside each other, no more than the limit at once', async () => {
    const lanes = new KeyedQueue(2, failNever);
    let running = 0;
    let most = 0;
    for (let i = 0; i < 7; i++) {
      lanes.run(`lane ${i}`, async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      });
    }
    await lanes.idle();
    expect(most).toBe(2);
  });

  it('go on after a job that failed, which is told', async () => {
    const errors: unknown[] = [];
    const lanes = new KeyedQueue(1, (error) => errors.push(error));
    let ran = false;
    lanes.run('lane', () => Promise.reject(new Error('failed')));
    lanes.run('lane', async () => {
      ran = true;
    });
    await lanes.idle();
    expect([ran, errors.length]).toEqual([true, 1]);
  });
});
