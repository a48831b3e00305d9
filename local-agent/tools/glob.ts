/**
 * Globs in calls of tools, matched against paths below a folder. Names are compared in one Unicode form, since some systems
 * write `é` as one character and others as two.
 */
import { FileError } from '../host/roots.ts';
import { compileGlob } from '../lib/glob.ts';

export interface PathGlob {
  matches(path: string): boolean;
  /** Whether it can match anything below a folder. */
  enters(folder: string): boolean;
  /** The glob that also looks into all folders below, for one that matches names in the folder itself only. */
  deeper: string | null;
}

const ALL = '**';

/** @throws FileError for a glob that leads out of the folder, or excludes */
function check(pattern: string): void {
  if (pattern.startsWith('/') || pattern.startsWith('~') || pattern.split('/').includes('..')) {
    throw new FileError('path_outside_roots', `${pattern}: a glob is relative to cwd and cannot leave it`);
  }
  if (pattern.startsWith('!')) {
    throw new FileError('invalid_path', `${pattern}: a glob cannot exclude; \\! matches a name that starts with !`);
  }
}

/** Without empty parts and `.`, which no path has. */
function plainParts(pattern: string): string {
  return pattern
    .split('/')
    .filter((part, index, all) => part !== '.' && (part !== '' || index === all.length - 1))
    .join('/');
}

/**
 * A matcher of relative paths. A name without wildcards, and a glob that ends with a slash, may name a folder and then
 * match everything in it.
 *
 * @throws FileError
 */
export function pathGlob(pattern: string): PathGlob {
  check(pattern);
  const plain = plainParts(pattern.normalize('NFC')) || ALL;
  const own = compileGlob(plain, { of: 'paths' });
  const globs = [own];
  if (own.isPlain || plain.endsWith('/'))
    globs.push(compileGlob(`${plain.replace(/\/$/, '')}/${ALL}`, { of: 'paths' }));
  return {
    matches: (path) => globs.some((glob) => glob.matches(path.normalize('NFC'))),
    enters: (folder) => globs.some((glob) => glob.canStartWith(`${folder.normalize('NFC')}/`)),
    deeper: own.isPlain || plain.includes('/') || plain === ALL ? null : `${ALL}/${plain}`,
  };
}
