import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { firstLoad, totalOf } from '../../../workers/page/build/first-load.ts';
import { tempDir } from '../../support/temp-dir.ts';

it('the first load is the document, what it names, one catalogue and the first panel, with what these import at once', () => {
  const folder = tempDir();
  mkdirSync(join(folder, 'assets'));
  const files: Record<string, string> = {
    'index.html': '<link href="/assets/page-a.css"><script type="module" src="/assets/index-b.js"></script>',
    'assets/page-a.css': 'a{}',
    'assets/index-b.js': 'import{x}from"./shared-c.js";import("./now-d.js");import("./tasks-e.js");',
    'assets/shared-c.js': 'import"./zod-f.js";export const x=1;',
    'assets/zod-f.js': '1;',
    'assets/now-d.js': 'import{x}from"./shared-c.js";import{y}from"./act-g.js";',
    'assets/act-g.js': 'export const y=1;',
    'assets/en-h.js': 'export{};',
    'assets/zh-i.js': 'export{};',
    'assets/tasks-e.js': 'export{};',
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  const loaded = firstLoad(folder);
  const later = ['assets/zh-i.js', 'assets/tasks-e.js'];
  expect(loaded.map(({ name }) => name).sort()).toEqual(
    Object.keys(files)
      .filter((path) => !later.includes(path))
      .sort(),
  );
  expect(totalOf(loaded).gzip).toBe(loaded.reduce((sum, { gzip }) => sum + gzip, 0));
});
