import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isOlderThan } from '../../../../local-agent/host/newest-change.ts';
import { tempDir } from '../../../support/temp-dir.ts';

it('what was built is older than its sources when one of them has changed since, or it is not there', () => {
  const folder = tempDir();
  const [built, source] = [join(folder, 'built'), join(folder, 'source')];
  mkdirSync(join(source, 'inner', 'node_modules'), { recursive: true });
  const files = ['inner/a.ts', 'inner/node_modules/b.ts'].map((name) => join(source, name));
  for (const file of [...files, built]) writeFileSync(file, '');
  const at = (path: string, seconds: number) => utimesSync(path, seconds, seconds);
  for (const path of [...files, source, join(source, 'inner')]) at(path, 1_000);
  at(built, 2_000);
  expect(isOlderThan(built, [source])).toBe(false);
  at(join(source, 'inner/node_modules/b.ts'), 3_000);
  expect(isOlderThan(built, [source])).toBe(false);
  at(join(source, 'inner/a.ts'), 3_000);
  expect(isOlderThan(built, [source])).toBe(true);
  expect(isOlderThan(join(folder, 'missing'), [source])).toBe(true);
});
