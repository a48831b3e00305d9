import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Deliveries } from '../../../../local-agent/delivery/deliveries.ts';
import type { Migration } from '../../../../local-agent/store/migrate.ts';
import { MigrationChangedError, migrate, StoreTooNewError } from '../../../../local-agent/store/migrate.ts';
import { MIGRATIONS } from '../../../../local-agent/store/migrations.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

const FIRST: Migration = { id: 'first', sql: 'CREATE TABLE a (n INTEGER)' };
const SECOND: Migration = { id: 'second', sql: 'CREATE TABLE b (n INTEGER)' };
const THIRD: Migration = { id: 'third', sql: 'CREATE TABLE c (n INTEGER)' };

function database(path = ':memory:'): DatabaseSync {
  const db = new DatabaseSync(path);
  onTestFinished(() => {
    if (db.isOpen) db.close();
  });
  return db;
}

function tables(db: DatabaseSync): unknown[] {
  const rows = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations'").all();
  return rows.map(({ name }) => name).sort();
}

/** A file that has run these steps. */
function migrated(...steps: Migration[]): DatabaseSync {
  const db = database();
  migrate(db, 'agent.sqlite', steps);
  return db;
}

describe('migrations', () => {
  it('each step runs once, and later steps run when they are added', () => {
    const db = migrated(FIRST);
    migrate(db, 'agent.sqlite', [FIRST, SECOND]);
    migrate(db, 'agent.sqlite', [FIRST, SECOND, THIRD]);
    expect(tables(db)).toEqual(['a', 'b', 'c']);
  });

  it.each<[string, Migration[], string]>([
    [
      'edited',
      [FIRST, { ...SECOND, sql: 'CREATE TABLE b (n TEXT)' }],
      'step 2 of agent.sqlite ran as second, which was edited',
    ],
    ['moved', [SECOND, FIRST], 'step 1 of agent.sqlite ran as first, which is second now'],
    ['replaced', [FIRST, THIRD], 'step 2 of agent.sqlite ran as second, which is third now'],
  ])('a file is refused when a step that it has run was %s', (_what, steps, message) => {
    const db = migrated(FIRST, SECOND);
    const later = [...steps, { id: 'later', sql: 'CREATE TABLE later (n INTEGER)' }];
    expect(() => migrate(db, 'agent.sqlite', later)).toThrow(MigrationChangedError);
    expect(() => migrate(db, 'agent.sqlite', later)).toThrow(message);
    expect(tables(db)).toEqual(['a', 'b']);
  });

  it('a file of a newer version is refused', () => {
    const db = migrated(FIRST, SECOND);
    expect(() => migrate(db, 'agent.sqlite', [FIRST])).toThrow(StoreTooNewError);
  });

  it('a step that fails leaves the file at the step before', () => {
    const path = join(tempDir(), 'a.sqlite');
    const broken: Migration = { id: 'second', sql: 'CREATE TABLE b (n INTEGER); CREATE TABLE a (n INTEGER)' };
    const db = database(path);
    expect(() => migrate(db, path, [FIRST, broken])).toThrow('already exists');
    db.close();
    const again = database(path);
    expect(tables(again)).toEqual(['a']);
    migrate(again, path, [FIRST, SECOND]);
    expect(tables(again)).toEqual(['a', 'b']);
  });

  it('a file from before the ids were stored gets those of the steps that it has run', () => {
    const db = database();
    db.exec(`${FIRST.sql}; PRAGMA user_version = 1`);
    migrate(db, 'agent.sqlite', [FIRST, SECOND]);
    expect(tables(db)).toEqual(['a', 'b']);
    expect(() => migrate(db, 'agent.sqlite', [{ ...FIRST, sql: 'SELECT 1' }, SECOND])).toThrow(MigrationChangedError);
  });

  it('the ids of the agent’s steps are unique', () => {
    expect(new Set(MIGRATIONS.map(({ id }) => id)).size).toBe(MIGRATIONS.length);
  });
});

describe('the step that gives deliveries their kinds', () => {
  const target = JSON.stringify({
    client_id: 'firefox-1',
    conversation_id: 'c1',
    page_url: 'https://chatgpt.com/c/c1',
    page_title: null,
    tab_id: 1,
    shell_page: false,
  });

  it('deliveries of an older file keep their state, and prompts get their kind and subject', () => {
    const path = join(tempDir(), 'agent.sqlite');
    const old = database(path);
    for (const { sql } of MIGRATIONS.slice(0, 4)) old.exec(sql);
    old.exec('PRAGMA user_version = 4');
    const insert = old.prepare(
      `INSERT INTO deliveries (plan_id, kind, subject_id, platform, client_id, conversation_id, target, message_text,
         timeout_ms, state, next_at, deadline_at, created_at, updated_at)
       VALUES (?, ?, ?, 'chatgpt', 'firefox-1', 'c1', ?, 'text', 1000, 'queued', 1, 2, 3, 4)`,
    );
    insert.run('reply:msg_1', 'reply', 'msg_1', target);
    insert.run('job_1.1', 'renewal', 'cmd_1', target);
    insert.run('prompt:ins_1', 'renewal', 'ins_1', target);
    insert.run('prompt:cmd_2', 'renewal', 'cmd_2', target);
    old.close();

    const deliveries = new Deliveries(openTestStore(new TestClock(), path).db);
    expect(['reply:msg_1', 'job_1.1', 'prompt:ins_1', 'prompt:cmd_2'].map((id) => deliveries.find(id))).toMatchObject([
      { kind: 'reply', subject_kind: 'message', subject_id: 'msg_1', state: 'queued', next_at: 1, deadline_at: 2 },
      { kind: 'renewal', subject_kind: 'command', subject_id: 'cmd_1' },
      { kind: 'prompt', subject_kind: 'instruction', subject_id: 'ins_1' },
      { kind: 'prompt', subject_kind: 'command', subject_id: 'cmd_2', created_at: 3, updated_at: 4 },
    ]);
  });
});
