import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { Migration } from '../../../durable-objects/shared/migrate.ts';
import { migrate } from '../../../durable-objects/shared/migrate.ts';

const addRow =
  (name: string): Migration =>
  (sql) => {
    sql.exec('CREATE TABLE IF NOT EXISTS ran (name TEXT)');
    sql.exec('INSERT INTO ran (name) VALUES (?)', name);
  };
const fails: Migration = (sql) => {
  addRow('half')(sql);
  throw new Error('step failed');
};

/** Runs the lists of steps one after the other on one object's storage; which steps ran, in order. */
async function ran(object: string, ...lists: (readonly Migration[])[]): Promise<unknown[]> {
  const stub = env.TIMED_JOBS.get(env.TIMED_JOBS.idFromName(object));
  return runInDurableObject(stub, (_object, { storage }) => {
    storage.sql.exec('DROP TABLE migrations');
    for (const list of lists) migrate(storage, list);
    return storage.sql
      .exec('SELECT name FROM ran')
      .toArray()
      .map(({ name }) => name);
  });
}

it('runs each step once, in order, and later those that were added', async () => {
  const [one, two, three] = [addRow('1'), addRow('2'), addRow('3')];
  expect(await ran('grows', [one, two], [one, two], [one, two, three])).toEqual(['1', '2', '3']);
});

it('leaves nothing of a step that failed, and runs it again next time', async () => {
  const afterFailure = (sql: SqlStorage): void => addRow('whole')(sql);
  const failed = async () => ran('fails', [addRow('1'), fails]);
  await expect(failed).rejects.toThrow('step failed');
  expect(await ran('fails', [addRow('1'), afterFailure])).toEqual(['1', 'whole']);
});

it('refuses an object that a later version has written', async () => {
  const shorter = async () => ran('later', [addRow('1'), addRow('2')], [addRow('1')]);
  await expect(shorter).rejects.toThrow('this version knows 1');
});
