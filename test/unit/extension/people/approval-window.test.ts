/** The window in which a person approves. */
import { describe, expect, it } from 'vitest';
import { approvalWindow } from '../../../../extension/background/people/approval-window.ts';

function scene() {
  const done: string[] = [];
  const time = { now: 10_000 };
  let ids = 0;
  const windows = {
    create: async (url: string) => {
      done.push(`create ${url}`);
      ids += 1;
      return { id: ids };
    },
    remove: async (id: number) => {
      done.push(`remove ${id}`);
      if (id === 2) throw new Error('closed by the person');
    },
  };
  return {
    done,
    time,
    open: approvalWindow(
      windows,
      (id) => `page ${id}`,
      () => time.now,
    ),
  };
}

describe('the window of an approval', () => {
  it('is a new one for each press, and the one before is closed, also when a person has closed it', async () => {
    const { done, time, open } = scene();
    for (const id of ['a', 'b', 'c']) {
      expect(await open(id)).toBe(true);
      time.now += 1_000;
    }
    expect(done).toEqual(['create page a', 'remove 1', 'create page b', 'remove 2', 'create page c']);
  });

  it('is not opened again within a moment, so that a page cannot fill the screen', async () => {
    const { done, time, open } = scene();
    expect(await open('a')).toBe(true);
    time.now += 999;
    expect(await open('b')).toBe(false);
    expect(done).toEqual(['create page a']);
  });
});
