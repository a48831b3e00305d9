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

  it('is not opened while Firefox still opens the one before, whose id is not known yet', async () => {
    const made: string[] = [];
    const created = Promise.withResolvers<{ id: number }>();
    const time = { now: 10_000 };
    const windows = {
      create: (url: string) => {
        made.push(url);
        return created.promise;
      },
      remove: async () => undefined,
    };
    const open = approvalWindow(
      windows,
      (id) => id,
      () => time.now,
    );
    const first = open('a');
    time.now += 5_000;
    const second = open('b');
    created.resolve({ id: 1 });
    expect(await Promise.all([first, second])).toEqual([true, false]);
    expect(await open('c')).toBe(false);
    time.now += 1_000;
    expect(await open('d')).toBe(true);
    expect(made).toEqual(['a', 'd']);
  });

  it('can be opened again when Firefox could not open it', async () => {
    const time = { now: 10_000 };
    let fails = true;
    const windows = {
      create: async () => {
        if (fails) throw new Error('no window');
        return { id: 1 };
      },
      remove: async () => undefined,
    };
    const open = approvalWindow(
      windows,
      (id) => id,
      () => time.now,
    );
    await expect(open('a')).rejects.toThrow('no window');
    fails = false;
    time.now += 1_000;
    expect(await open('a')).toBe(true);
  });
});
