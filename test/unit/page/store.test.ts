import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EdgeError } from '../../../workers/page/api/client.ts';
import type { Source } from '../../../workers/page/api/store.ts';
import { MAX_RETRY_MS, MIN_GAP_MS, RETRY_MS, Store } from '../../../workers/page/api/store.ts';

const signedOut: EdgeError[] = [];
let store: Store;
let reads: string[];
let next: () => Promise<unknown>;

const nothing = () => undefined;
const tasks: Source<unknown> = {
  path: '/v1/tasks',
  topics: ['tasks'],
  load: (path) => {
    reads.push(path);
    return next();
  },
};

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  reads = [];
  signedOut.length = 0;
  next = async () => reads.length;
  store = new Store({ now: Date.now, onSignedOut: (error) => signedOut.push(error) });
});
afterEach(() => {
  store.clear();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('what the page has read', () => {
  it('is read at once when it is shown, and once for two that show it', async () => {
    store.show(tasks, nothing);
    store.show(tasks, nothing);
    await pass(0);
    expect(reads).toEqual(['/v1/tasks']);
    expect(store.peek('/v1/tasks')).toMatchObject({ data: 1, error: null, isLoading: false, at: Date.now() });
  });

  it('is read again after an event of one of its topics, and of no other', async () => {
    store.show(tasks, nothing);
    await pass(MIN_GAP_MS);
    store.changed(['instructions']);
    await pass(MIN_GAP_MS);
    expect(reads).toHaveLength(1);
    store.changed(['instructions', 'tasks']);
    await pass(0);
    expect(reads).toHaveLength(2);
  });

  it('is read once in a while during a flood of events, and after the last one', async () => {
    store.show(tasks, nothing);
    for (let n = 0; n < 50; n += 1) {
      await pass(MIN_GAP_MS / 10);
      store.changed(['tasks']);
    }
    expect(reads.length).toBeLessThanOrEqual(6);
    const before = reads.length;
    await pass(MIN_GAP_MS);
    expect(reads.length).toBe(before + 1);
  });

  it('is read again when an event came while it was being read', async () => {
    let finish: (value: unknown) => void = nothing;
    next = () => new Promise((resolve) => (finish = resolve));
    store.show(tasks, nothing);
    await pass(0);
    store.changed(['tasks']);
    await pass(10 * MIN_GAP_MS);
    expect(reads).toHaveLength(1);
    finish('old');
    await pass(MIN_GAP_MS);
    expect(reads).toHaveLength(2);
  });

  it('is not read while nothing shows it, and is read when it is shown again', async () => {
    const hide = store.show(tasks, nothing);
    await pass(0);
    hide();
    store.changed(null);
    await pass(MIN_GAP_MS);
    expect(reads).toHaveLength(1);
    store.show(tasks, nothing);
    expect(store.peek('/v1/tasks').data).toBe(1);
    await pass(0);
    expect(reads).toHaveLength(2);
  });

  it('is not read while the page is hidden, and once when it is seen again', async () => {
    store.show(tasks, nothing);
    await pass(MIN_GAP_MS);
    store.pause(true);
    store.changed(['tasks']);
    store.changed(['tasks']);
    await pass(10 * MIN_GAP_MS);
    expect(reads).toHaveLength(1);
    store.pause(false);
    await pass(0);
    expect(reads).toHaveLength(2);
  });

  it('stays, with its age, when it cannot be read again', async () => {
    store.show(tasks, nothing);
    await pass(0);
    const readAt = Date.now();
    next = () => Promise.reject(new EdgeError('edge_unreachable', 'no connection'));
    await pass(MIN_GAP_MS);
    store.changed(null);
    await pass(0);
    expect(store.peek('/v1/tasks')).toMatchObject({ data: 1, at: readAt, error: { code: 'edge_unreachable' } });
    expect(store.oldestShown()).toBe(readAt);
    expect(signedOut).toEqual([]);
  });

  it('reports the end of the session', async () => {
    next = () => Promise.reject(new EdgeError('revoked_token', 'this token was revoked', { status: 401 }));
    store.show(tasks, nothing);
    await pass(0);
    expect(signedOut.map(({ code }) => code)).toEqual(['revoked_token']);
  });

  describe('that could not be read', () => {
    const refused = (status: number) => () => Promise.reject(new EdgeError('database_unavailable', 'no', { status }));

    it.each([0, 429, 500, 503])('is read again by itself after status %i, and is live again then', async (status) => {
      next = refused(status);
      store.show(tasks, nothing);
      await pass(0);
      expect(store.isRetrying()).toBe(true);
      next = async () => 'read';
      await pass(RETRY_MS);
      expect(store.peek('/v1/tasks')).toMatchObject({ data: 'read', error: null });
      expect(store.isRetrying()).toBe(false);
      await pass(10 * MAX_RETRY_MS);
      expect(reads).toHaveLength(2);
    });

    it.each([400, 401, 403, 404])('is not read again by itself after the refusal %i', async (status) => {
      next = refused(status);
      store.show(tasks, nothing);
      await pass(10 * MAX_RETRY_MS);
      expect(reads).toHaveLength(1);
      expect(store.isRetrying()).toBe(false);
    });

    it('is read again after pauses that double up to a bound, and are short again after a success', async () => {
      next = refused(503);
      store.show(tasks, nothing);
      await pass(0);
      const pauses: number[] = [];
      for (let n = 0; n < 7; n += 1) {
        const [before, since] = [reads.length, Date.now()];
        while (reads.length === before && Date.now() - since < 2 * MAX_RETRY_MS) await pass(1_000);
        pauses.push(Date.now() - since);
      }
      expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
      next = async () => 'read';
      await pass(MAX_RETRY_MS);
      next = refused(503);
      store.changed(['tasks']);
      await pass(0);
      const before = reads.length;
      await pass(RETRY_MS);
      expect(reads).toHaveLength(before + 1);
    });

    it('is read at once, without the rest of its pause, after an event of its topic', async () => {
      next = refused(503);
      store.show(tasks, nothing);
      await pass(RETRY_MS + 4_000 + MIN_GAP_MS);
      expect(reads).toHaveLength(3);
      store.changed(['tasks']);
      await pass(0);
      expect(reads).toHaveLength(4);
    });

    it('is not read again while the page is hidden, and at once when it is seen again', async () => {
      next = refused(503);
      store.show(tasks, nothing);
      await pass(MIN_GAP_MS);
      store.pause(true);
      await pass(10 * MAX_RETRY_MS);
      expect(reads).toHaveLength(1);
      store.pause(false);
      await pass(0);
      expect(reads).toHaveLength(2);
    });

    it('is not read again after the sign-out, also when the read was under way then', async () => {
      let fail: (error: EdgeError) => void = nothing;
      next = () => new Promise((_, reject) => (fail = reject));
      store.show(tasks, nothing);
      await pass(0);
      store.clear();
      fail(new EdgeError('edge_unreachable', 'no connection'));
      await pass(10 * MAX_RETRY_MS);
      expect(reads).toHaveLength(1);
    });
  });

  it('is kept for a bounded number of paths that nothing shows', async () => {
    for (let n = 0; n < 200; n += 1) store.show({ ...tasks, path: `/v1/tasks/${n}` }, nothing)();
    const kept = Array.from({ length: 200 }, (_, n) => store.peek(`/v1/tasks/${n}`)).filter(({ at }) => at !== null);
    expect(kept.length).toBeLessThanOrEqual(60);
  });
});
