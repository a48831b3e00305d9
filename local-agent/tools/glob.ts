/** Globs in calls of tools, matched against relative paths. They are limited so that matching stays fast. */
import picomatch from 'picomatch';
import { FileError } from '../host/roots.ts';

/** Each `*` in one part of a path multiplies the number of ways to match a name. */
const MAX_STARS = 4;

/** A matcher of relative paths. @throws FileError for a glob that leaves the folder or has too many wildcards */
export function compileGlob(pattern: string): (path: string) => boolean {
  const parts = pattern.split('/');
  if (pattern.startsWith('/') || pattern.startsWith('~') || parts.includes('..')) {
    throw new FileError('path_outside_roots', `${pattern}: a glob is relative to cwd and cannot leave it`);
  }
  const deep = parts.filter((part) => part === '**').length;
  const hasManyStars = parts.some((part) => part !== '**' && part.split('*').length - 1 > MAX_STARS);
  if (deep > MAX_STARS || hasManyStars)
    throw new FileError('invalid_path', `${pattern}: more than ${MAX_STARS} wildcards`);
  const plain = pattern.replace(/^\.\//, '');
  return picomatch(plain, { dot: true, noextglob: true });
}
