/** Globs of tools: matched against paths relative to where the tool works, and so limited that matching stays quick. */
import picomatch from 'picomatch';
import { FileError } from '../host/roots.ts';

/** Each `*` in one part of a path multiplies the ways in which a name can match. */
const MAX_STARS = 4;

/** A matcher of relative paths. @throws FileError for a glob that leads out, or is too wild */
export function matcherOf(pattern: string): (path: string) => boolean {
  const parts = pattern.split('/');
  if (pattern.startsWith('/') || pattern.startsWith('~') || parts.includes('..')) {
    throw new FileError('path_outside_roots', `${pattern}: a glob is relative and leads down; cwd says where from`);
  }
  const deep = parts.filter((part) => part === '**').length;
  const wild = parts.some((part) => part !== '**' && part.split('*').length - 1 > MAX_STARS);
  if (deep > MAX_STARS || wild) throw new FileError('invalid_path', `${pattern}: more than ${MAX_STARS} wildcards`);
  const plain = pattern.replace(/^\.\//, '');
  return picomatch(plain, { dot: true, noextglob: true });
}
