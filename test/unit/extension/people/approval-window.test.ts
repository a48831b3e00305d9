/** The window in which a person approves. */
import { describe, expect, it } from 'vitest';
import { approvalWindow } from '../../../../extension/background/people/approval-window.ts';

const PATIENCE_MS = 10_000;

/** Firefox's windows: their pages by id, and which has the focus. */
function scene() {
  const done: string[] = [];
  const open = new Map<number, string>();
  const screen = { now: 10_000, focused: 0 };
  let ids = 0;
  const windows = {
    create: async (url: string) => {
      done.push(`create ${url}`);
      ids += 1;
      open.set(ids, url);
      return { id: ids };
    },
    get: async (id: number) => {
      if (!open.has(id)) throw new Error('no such window');
      return { focused: screen.focused === id };
    },
    remove: async (id: number) => {
      if (!open.delete(id)) throw new Error('no such window');
      done.push(`remove ${id}`);
    },
  };
  const review = approvalWindow(
    windows,
    (id) => `page ${id}`,
    () => screen.now,
  );
  return { done, screen, windows, review };
}

describe('the window of an approval', () => {
  it('is a new one for each press, and the one before, which lost the focus long ago, is closed', async () => {
    const { done, screen, review } = scene();
    for (const id of ['a', 'b', 'c']) {
      expect(await review(id)).toBe('opened');
      screen.now += PATIENCE_MS;
    }
    expect(done).toEqual(['create page a', 'remove 1', 'create page b', 'remove 2', 'create page c']);
  });

  it('does not take the place of one that has just been opened, and may be read beside the chat', async () => {
    const { done, screen, review } = scene();
    await review('a');
    screen.now += PATIENCE_MS - 1;
    expect(await review('b')).toBe('being_read');
    expect(done).toEqual(['create page a']);
    screen.now += 1;
    expect(await review('b')).toBe('opened');
  });

  it('does not take the place of one that has the focus, however long a person reads in it', async () => {
    const { done, screen, review } = scene();
    await review('a');
    screen.focused = 1;
    screen.now += 3_600_000;
    expect(await review('b')).toBe('being_read');
    expect(done).toEqual(['create page a']);
    screen.focused = 0;
    expect(await review('b')).toBe('opened');
  });

  it('is opened soon after the one before when a person has closed that one', async () => {
    const { done, screen, windows, review } = scene();
    await review('a');
    await windows.remove(1);
    screen.now += 1_000;
    expect(await review('b')).toBe('opened');
    expect(done).toEqual(['create page a', 'remove 1', 'create page b']);
  });

  it('is not opened again within a moment, so that a page cannot fill the screen', async () => {
    const { done, screen, windows, review } = scene();
    await review('a');
    await windows.remove(1);
    screen.now += 999;
    expect(await review('b')).toBe('too_soon');
    expect(done).toEqual(['create page a', 'remove 1']);
  });

  it('is not opened while Firefox still opens the one before, whose id is not known yet', async () => {
    const { done, screen, windows } = scene();
    const created = Promise.withResolvers<void>();
    const create = async (url: string) => {
      await created.promise;
      return windows.create(url);
    };
    const review = approvalWindow(
      { ...windows, create },
      (id) => id,
      () => screen.now,
    );
    const first = review('a');
    screen.now += 5_000;
    const second = review('b');
    created.resolve();
    expect(await Promise.all([first, second])).toEqual(['opened', 'too_soon']);
    expect(await review('c')).toBe('too_soon');
    screen.now += PATIENCE_MS;
    expect(await review('d')).toBe('opened');
    expect(done).toEqual(['create a', 'remove 1', 'create d']);
  });

  it('can be opened again when Firefox could not open it', async () => {
    const { screen, windows } = scene();
    let fails = true;
    const create = async (url: string) => {
      if (fails) throw new Error('no window');
      return windows.create(url);
    };
    const review = approvalWindow(
      { ...windows, create },
      (id) => id,
      () => screen.now,
    );
    await expect(review('a')).rejects.toThrow('no window');
    fails = false;
    screen.now += 1_000;
    expect(await review('a')).toBe('opened');
  });
});
