import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SavedCheckpoint } from '../../../../local-agent/checkpoints/saver.ts';
import { CheckpointSaver } from '../../../../local-agent/checkpoints/saver.ts';
import { tempDir } from '../../../support/temp-dir.ts';

it.each([
  ['travels with its content up to the limit of the edge', 10, { truncated: false, size: 10 }],
  ['stays on its host above the limit, and is marked', 9, { truncated: true, size: 10 }],
])('a checkpoint %s', async (_what, maxContentBytes, expected) => {
  const runFolder = tempDir();
  mkdirSync(join(runFolder, 'checkpoints'));
  const saved: SavedCheckpoint['body'][] = [];
  const saver = new CheckpointSaver({ runFolder, seq: 0, maxContentBytes, onSaved: ({ body }) => saved.push(body) });
  await saver.saveText('summary', 'ten bytes.');
  expect(saved).toMatchObject([{ seq: 1, type: 'summary', ...expected }]);
  expect(saved[0]?.content).toBe(expected.truncated ? undefined : Buffer.from('ten bytes.').toString('base64'));
});

it('of many checkpoints of a type the first and the newest stay, also those of an agent before', async () => {
  const runFolder = tempDir();
  const folder = join(runFolder, 'checkpoints');
  mkdirSync(folder);
  const save = async (seq: number, texts: readonly string[]) => {
    const saver = new CheckpointSaver({ runFolder, seq, maxContentBytes: 10, onSaved: () => undefined });
    for (const text of texts) await saver.saveText('log_tail', text);
    await saver.saveText('summary', `${seq}`);
    return saver.seq;
  };
  const seq = await save(9_995, ['a', 'b', 'c', 'd']);
  await save(seq, ['e', 'f']);
  expect(readdirSync(folder).sort()).toEqual([
    '10000-summary.json',
    '10001-log-tail.txt',
    '10002-log-tail.txt',
    '10003-summary.json',
    '9996-log-tail.txt',
    '9999-log-tail.txt',
  ]);
});

it('a large checkpoint is removed when a newer one of its type is saved; smaller ones stay', async () => {
  const runFolder = tempDir();
  const folder = join(runFolder, 'checkpoints');
  mkdirSync(folder);
  const saver = new CheckpointSaver({ runFolder, seq: 0, maxContentBytes: 10, onSaved: () => undefined });
  const large = (text: string) => text.repeat(1024 * 1024 + 1);
  for (const text of ['small', large('a'), 'small again', large('b')]) await saver.saveText('git_diff', text);
  await saver.saveText('summary', 'another type');
  expect(readdirSync(folder)).toEqual([
    '0001-git-diff.patch',
    '0003-git-diff.patch',
    '0004-git-diff.patch',
    '0005-summary.json',
  ]);
});
