import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EdgeError } from '../../../workers/page/api/client.ts';
import type { Source } from '../../../workers/page/api/store.ts';
import { MIN_GAP_MS, Store } from '../../../workers/page/api/store.ts';

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

  it('is kept for a bounded number of paths that nothing shows', async () => {
    for (let n = 0; n < 200; n += 1) store.show({ ...tasks, path: `/v1/tasks/${n}` }, nothing)();
    const kept = Array.from({ length: 200 }, (_, n) => store.peek(`/v1/tasks/${n}`)).filter(({ at }) => at !== null);
    expect(kept.length).toBeLessThanOrEqual(60);
  });
});
