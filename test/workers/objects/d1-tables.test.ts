import { expect, it } from 'vitest';
import { rowsOf } from '../support/edge.ts';

const tables = await rowsOf<{ name: string; sql: string }>("SELECT name, sql FROM sqlite_master WHERE type = 'table'");

const WITHOUT_ROWID = [
  'instructions',
  'journal_blocks',
  'tasks',
  'task_dependencies',
  'task_notices',
  'steps',
  'runs',
  'run_logs',
  'checkpoints',
];

it.each(WITHOUT_ROWID)('%s is stored WITHOUT ROWID: a migration that rebuilds it has to say so again', (name) => {
  expect(tables.find((table) => table.name === name)?.sql).toMatch(/\) WITHOUT ROWID$/);
});

it('no table counts with AUTOINCREMENT, which writes one more row for each insert', () => {
  const migrations = 'd1_migrations';
  const counting = tables.filter(({ name, sql }) => name !== migrations && /\bAUTOINCREMENT\b/i.test(sql));
  expect(counting.map(({ name }) => name)).toEqual([]);
});
