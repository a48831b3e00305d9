/** The rules of ignore files (`.gitignore`, `.ignore`) and whether they leave a path out. */
import { join, relative, sep } from 'node:path';
import type { Ignore } from 'ignore';
import ignore from 'ignore';
import { readFileSlice } from './read-file.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

const NAMES = ['.gitignore', '.ignore'];
const MAX_BYTES = 256 * 1024;

/** The rules of one folder. */
export interface IgnoreRules {
  folder: string;
  rules: Ignore;
}

/** The rules in a folder; null when it has no readable ignore file. */
export function rulesIn(folder: string, roots: Roots): IgnoreRules | null {
  const texts = NAMES.flatMap((name) => {
    try {
      return readFileSlice(roots, join(folder, name), { offset: 0, length: MAX_BYTES }).bytes.toString('utf8');
    } catch (error) {
      if (error instanceof FileError) return [];
      throw error;
    }
  });
  return texts.length === 0 ? null : { folder, rules: ignore().add(texts.join('\n')) };
}

/** Whether the rules, ordered from outer to inner folder, leave a path out. Inner rules override outer ones. */
export function isIgnored(path: string, isFolder: boolean, rules: readonly IgnoreRules[]): boolean {
  let ignored = false;
  for (const one of rules) {
    const name = relative(one.folder, path).split(sep).join('/');
    const verdict = one.rules.test(isFolder ? `${name}/` : name);
    if (verdict.ignored) ignored = true;
    else if (verdict.unignored) ignored = false;
  }
  return ignored;
}
