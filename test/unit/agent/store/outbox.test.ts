import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../../../support/agent-store.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

const row = { stream: 'node', kind: 'client', method: 'PUT', path: '/v1/x', body: {}, context: {} } as const;

describe('the outbox', () => {
  it('a key is never used twice, even after its row is deleted', () => {
    const path = join(tempDir(), 'agent.sqlite');
    const first = openTestStore(new TestClock(), path);
    const { id, key } = first.outbox.append(row);
    expect(key).toBe('box/node/1');
    first.outbox.remove(id);
    first.close();
    const second = openTestStore(new TestClock(), path);
    expect(second.outbox.append(row).key).toBe('box/node/2');
  });

  it('each stream has its own sequence', () => {
    const { outbox } = openTestStore(new TestClock());
    outbox.append(row);
    expect(outbox.append({ ...row, stream: 'conv:chatgpt:a' }).key).toBe('box/conv:chatgpt:a/1');
  });

  it('the key of a stream with non-ASCII letters is a valid header value', () => {
    const { outbox } = openTestStore(new TestClock());
    const { key } = outbox.append({ ...row, stream: 'conv:\u4f1a/\ud800' });
    expect(key).toMatch(/^box\/conv:[\x21-\x7e]+\/1$/);
    expect(key.split('/')).toHaveLength(3);
  });

  it('a row whose transaction is rolled back is not stored', () => {
    const store = openTestStore(new TestClock());
    const fail = () =>
      store.transaction(() => {
        store.outbox.append(row);
        throw new Error('no');
      });
    expect(fail).toThrow('no');
    expect(store.outbox.pendingStreams()).toEqual([]);
    expect(store.outbox.append(row).key).toBe('box/node/1');
  });

  it('listeners run after the transaction of an append', async () => {
    const store = openTestStore(new TestClock());
    const inTransaction: boolean[] = [];
    store.outbox.onAppend(() => inTransaction.push(store.db.isTransaction));
    store.transaction(() => store.outbox.append(row));
    await Promise.resolve();
    expect(inTransaction).toEqual([false]);
  });

  it('the age of a row includes the age of its fact when it was stored', async () => {
    const clock = new TestClock();
    const { outbox } = openTestStore(clock);
    outbox.append({ ...row, ageMs: 400 });
    await clock.elapse(1_000);
    const head = outbox.head('node');
    expect(head && outbox.ageOf(head)).toBe(1_400);
    clock.wallMs -= 60_000;
    expect(head && outbox.ageOf(head)).toBe(400);
  });

  it('a refused row is kept, and its stream continues behind it', () => {
    const { outbox } = openTestStore(new TestClock());
    const { id } = outbox.append(row);
    const second = outbox.append(row);
    outbox.refuse(id, { status: 409, code: 'conflict', message: 'no' });
    expect(outbox.head('node')?.id).toBe(second.id);
    expect(outbox.refused(10)).toMatchObject([{ id, key: 'box/node/1', refusal: { code: 'conflict' } }]);
    expect(outbox.pendingCount()).toBe(1);
  });
});
