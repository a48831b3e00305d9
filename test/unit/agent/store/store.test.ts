import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../../../local-agent/store/migrations.ts';
import { openStore, StoreLockedError, StoreTooNewError } from '../../../../local-agent/store/store.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const clock = new FakeClock();
const deps = { now: () => clock.now(), newOutboxId: () => 'box' };

describe('the store', () => {
  it('keeps a second agent out, and lets readers look', () => {
    const path = join(tempDir(), 'agent.sqlite');
    openTestStore(clock, path).meta.set('colour', 'green');
    expect(() => openStore(path, deps)).toThrow(StoreLockedError);
    const reader = new DatabaseSync(path, { readOnly: true });
    expect(reader.prepare('SELECT value FROM meta WHERE key = ?').get('colour')).toEqual({ value: 'green' });
    reader.close();
  });

  it('is free again when its agent has closed it', () => {
    const path = join(tempDir(), 'agent.sqlite');
    openTestStore(clock, path).close();
    expect(openTestStore(clock, path).db.isOpen).toBe(true);
  });

  it('is readable by its owner only', () => {
    const path = join(tempDir(), 'state', 'agent.sqlite');
    openTestStore(clock, path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('refuses a file of a newer version instead of guessing', () => {
    const path = join(tempDir(), 'agent.sqlite');
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    expect(() => openStore(path, deps)).toThrow(StoreTooNewError);
  });

  it('syncs every commit to the disk', () => {
    const { db } = openTestStore(clock);
    const FULL = 2;
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: FULL });
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  });

  it('keeps the id of its outbox for ever', () => {
    const path = join(tempDir(), 'agent.sqlite');
    openTestStore(clock, path).close();
    const again = openStore(path, { ...deps, newOutboxId: () => 'another' });
    expect(again.outbox.outboxId).toBe('box');
    again.close();
  });
});

describe('a transaction', () => {
  it('stores all of it or nothing', () => {
    const store = openTestStore(clock);
    const fail = () =>
      store.transaction(() => {
        store.meta.set('half', 'done');
        throw new Error('the other half failed');
      });
    expect(fail).toThrow('the other half failed');
    expect(store.meta.get('half')).toBeNull();
  });

  it('takes an inner one as a part of itself', () => {
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

  it('must not be async, and leaves nothing behind when it is', () => {
    const store = openTestStore(clock);
    const wrong = () => store.transaction(async () => store.meta.set('async', 'done'));
    expect(wrong).toThrow(TypeError);
    expect(store.meta.get('async')).toBeNull();
  });
});
