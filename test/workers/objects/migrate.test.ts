import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Migration } from '../../../durable-objects/shared/migrate.ts';
import { migrate } from '../../../durable-objects/shared/migrate.ts';

const addRow = (id: string): Migration => ({
  id,
  sql: `CREATE TABLE IF NOT EXISTS ran (name TEXT); INSERT INTO ran (name) VALUES ('${id}')`,
});
const [one, two, three] = [addRow('1'), addRow('2'), addRow('3')];
const failing: Migration = { id: 'fails', sql: `${addRow('half').sql}; INSERT INTO nowhere VALUES (1)` };

/** Runs the lists of migrations one after the other on the storage of that object; which migrations ran, in order. */
async function runLists(object: string, ...lists: (readonly Migration[])[]): Promise<unknown[]> {
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

describe('the migrations of an object', () => {
  it('each run once, in order, and later those that were added', async () => {
    expect(await runLists('grows', [one, two], [one, two], [one, two, three])).toEqual(['1', '2', '3']);
  });

  it('leave nothing of one that failed, which runs again next time', async () => {
    const failed = async () => runLists('fails', [one, failing]);
    await expect(failed).rejects.toThrow('no such table: nowhere');
    expect(await runLists('fails', [one, addRow('whole')])).toEqual(['1', 'whole']);
  });

  it.each([
    [
      'a later version has written the object',
      [one],
      'this object ran the migration "2", which this version does not have',
    ],
    ['two migrations were exchanged', [two, one], 'this object ran the migration "1" where this version has "2"'],
    ['a migration was removed', [two], 'this object ran the migration "1" where this version has "2"'],
    ['a migration was inserted', [one, three, two], 'this object ran the migration "2" where this version has "3"'],
    ['a migration was edited', [one, { ...two, sql: 'SELECT 1' }], 'the migration "2" was edited'],
  ])('are refused when %s', async (name, list, message) => {
    const changed = async () => runLists(name, [one, two], list);
    await expect(changed).rejects.toThrow(message);
  });
});
