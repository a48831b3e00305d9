import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openStore, StoreLockedError } from '../../../../local-agent/store/store.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

const clock = new TestClock();
const deps = { now: () => clock.now(), newOutboxId: () => 'box' };

describe('the store', () => {
  it('a second agent is locked out, and a reader is not', () => {
    const path = join(tempDir(), 'agent.sqlite');
    openTestStore(clock, path).meta.set('colour', 'green');
    expect(() => openStore(path, deps)).toThrow(StoreLockedError);
    const reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare('SELECT value FROM meta WHERE key = ?').get('colour')).toEqual({ value: 'green' });
    reader.close();
  });

  it('a closed store can be opened again', () => {
    const path = join(tempDir(), 'agent.sqlite');
    openTestStore(clock, path).close();
    expect(openTestStore(clock, path).db.isOpen).toBe(true);
  });

  it('the file and its folder are readable by their owner only', () => {
    const path = join(tempDir(), 'state', 'agent.sqlite');
    openTestStore(clock, path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('every commit is synced to the disk', () => {
    const { db } = openTestStore(clock);
    const FULL = 2;
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: FULL });
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  });

  it('the id of the outbox never changes', () => {
    const path = join(tempDir(), 'agent.sqlite');
    openTestStore(clock, path).close();
    const again = openStore(path, { ...deps, newOutboxId: () => 'another' });
    expect(again.outbox.outboxId).toBe('box');
    again.close();
  });
});

describe('a transaction', () => {
  it('a transaction that fails stores nothing', () => {
    const store = openTestStore(clock);
    const fail = () =>
      store.transaction(() => {
        store.meta.set('half', 'done');
        throw new Error('the other half failed');
      });
    expect(fail).toThrow('the other half failed');
    expect(store.meta.get('half')).toBeNull();
  });

  it('an inner transaction is a part of the outer one', () => {
    const store = openTestStore(clock);
    const fail = () =>
      store.transaction(() => {
        store.transaction(() => store.meta.set('inner', 'done'));
        throw new Error('afterwards');
      });
    expect(fail).toThrow('afterwards');
    expect(store.meta.get('inner')).toBeNull();
    store.transaction(() => store.meta.set('next', 'works'));
    expect(store.meta.get('next')).toBe('works');
  });

  it('an async transaction is refused and stores nothing', () => {
    const store = openTestStore(clock);
    const wrong = () => store.transaction(async () => store.meta.set('async', 'done'));
    expect(wrong).toThrow(TypeError);
    expect(store.meta.get('async')).toBeNull();
  });
});
