import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../../../support/agent-store.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const row = { stream: 'node', kind: 'client', method: 'PUT', path: '/v1/x', body: {}, context: {} } as const;

describe('the outbox', () => {
  it('never uses a key twice, even when its rows are gone', () => {
    const path = join(tempDir(), 'agent.sqlite');
    const first = openTestStore(new FakeClock(), path);
    const { id, key } = first.outbox.append(row);
    expect(key).toBe('box/node/1');
    first.outbox.remove(id);
    first.close();
    const second = openTestStore(new FakeClock(), path);
    expect(second.outbox.append(row).key).toBe('box/node/2');
  });

  it('counts each stream for itself', () => {
    const { outbox } = openTestStore(new FakeClock());
    outbox.append(row);
    expect(outbox.append({ ...row, stream: 'conv:chatgpt:a' }).key).toBe('box/conv:chatgpt:a/1');
  });

  it('keeps a stream with foreign letters fit for a header', () => {
    const { outbox } = openTestStore(new FakeClock());
    const { key } = outbox.append({ ...row, stream: 'conv:\u4f1a/\ud800' });
    expect(key).toMatch(/^box\/conv:[\x21-\x7e]+\/1$/);
    expect(key.split('/')).toHaveLength(3);
  });

  it('forgets a row whose change was rolled back', () => {
    const store = openTestStore(new FakeClock());
    const fail = () =>
      store.transaction(() => {
        store.outbox.append(row);
        throw new Error('no');
      });
    expect(fail).toThrow('no');
    expect(store.outbox.pendingStreams()).toEqual([]);
    expect(store.outbox.append(row).key).toBe('box/node/1');
  });

  it('tells of an append only after its transaction', async () => {
    const store = openTestStore(new FakeClock());
    const heard: boolean[] = [];
    store.outbox.onAppend(() => heard.push(store.db.isTransaction));
    store.transaction(() => store.outbox.append(row));
    await Promise.resolve();
    expect(heard).toEqual([false]);
  });

  it('counts the age a row had before it was stored', async () => {
    const clock = new FakeClock();
    const { outbox } = openTestStore(clock);
    outbox.append({ ...row, ageMs: 400 });
    await clock.advance(1_000);
    const head = outbox.head('node');
    expect(head && outbox.ageOf(head)).toBe(1_400);
    clock.wallMs -= 60_000;
    expect(head && outbox.ageOf(head)).toBe(400);
  });

  it('goes on past a refused row and keeps it to be looked at', () => {
    const { outbox } = openTestStore(new FakeClock());
    const { id } = outbox.append(row);
    const second = outbox.append(row);
    outbox.refuse(id, { status: 409, code: 'conflict', message: 'no' });
    expect(outbox.head('node')?.id).toBe(second.id);
    expect(outbox.refused(10)).toMatchObject([{ id, key: 'box/node/1', refusal: { code: 'conflict' } }]);
    expect(outbox.pendingCount()).toBe(1);
  });
});
