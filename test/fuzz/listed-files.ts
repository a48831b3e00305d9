/** What `files/list` and `files/search` find in a random tree, against what Git and ripgrep find there. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Fuzzer } from './fuzzer.ts';
import type { RandomTree } from './random-tree.ts';
import { treeArb } from './random-tree.ts';
import { compare, SearchHost } from './search-host.ts';

const OTHERS = ['git', 'ls-files', '-z', '--others', '--exclude-standard'] as const;
const RIPGREP = [
  'rg',
  '--hidden',
  '--null',
  '--no-config',
  '--glob=!.git',
  '--no-ignore-global',
  '--no-messages',
] as const;

/** A fuzzer that makes the tree of each case, compares there, and counts what `compareIn` returns. */
function fuzzer<T extends { tree: RandomTree }>(
  name: string,
  arb: fc.Arbitrary<T>,
  compareIn: (host: SearchHost, drawn: T) => Promise<readonly string[]>,
): Fuzzer {
  return {
    name,
    async run(seed, report) {
      const [drawn] = fc.sample(arb, { seed, numRuns: 1 });
      if (drawn === undefined) throw new Error('nothing was drawn');
      const host = new SearchHost(drawn.tree, report);
      try {
        const found = await compareIn(host, drawn);
        report.count(found.length === 0 ? 'nothing found' : 'something found');
      } finally {
        host.remove();
      }
    },
  };
}

/** The regular files that Git does not ignore, those of repositories below included. */
function filesByGit(host: SearchHost, folder = host.root, pathspec: readonly string[] = []): string[] {
  const paths = host
    .run([...OTHERS, ...pathspec], folder)
    .split('\0')
    .filter(Boolean);
  return paths.flatMap((path) => {
    if (path.endsWith('/')) return filesByGit(host, join(folder, path)).map((below) => path + below);
    return lstatSync(join(folder, path)).isFile() ? [path] : [];
  });
}

/** ripgrep translates rules to regular expressions in which a wildcard does not match a line break. */
const withoutBreak = (name: string) => !name.includes('\n');

const listedByGit = fuzzer(
  'ignored-git',
  fc.record({ tree: treeArb({ lines: 'any', ignoreNames: ['.gitignore', '.git/info/exclude'] }) }),
  async (host, { tree }) => {
    const theirs = filesByGit(host);
    compare(await host.list('**'), theirs, tree);
    return theirs;
  },
);

const listedByRipgrep = fuzzer(
  'ignored-ripgrep',
  fc.record({ tree: treeArb({ lines: 'plain', ignoreNames: ['.gitignore', '.ignore'], isName: withoutBreak }) }),
  async (host, { tree }) => {
    const theirs = host
      .run([...RIPGREP, '--files'])
      .split('\0')
      .filter(Boolean);
    compare(await host.list('**'), theirs, tree);
    return theirs;
  },
);

const globArb = fc
  .array(
    fc.constantFrom('a', 'b', 'ab', 'foo', 'build', '*', '*', '**', '/', '/', '**/', '?', '[ab]', '[!a]', 'caf?', '.'),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(''))
  // An empty part and a leading slash are refused or mean something else in Git.
  .filter((glob) => !/[^/]\*\*|\*\*[^/]|^\/|\/\/|\/$|(^|\/)\.{1,2}(\/|$)/.test(glob));

/** Names without characters that the tool or Git reads in a way of its own. */
const inAscii = (name: string) => /^[\w.()\- ]+$/.test(name);

const globbedByGit = fuzzer(
  'globs-git',
  fc.record({
    tree: treeArb({ lines: 'plain', ignoreNames: ['.gitignore'], isName: inAscii }).map((tree) => ({
      ...tree,
      repositories: [],
    })),
    globs: fc.array(globArb, { minLength: 3, maxLength: 3 }),
  }),
  async (host, { tree, globs }) => {
    const found: string[] = [];
    for (const glob of globs) {
      const theirs = filesByGit(host, host.root, [`:(glob)${glob}`]);
      compare(await host.list(glob), theirs, { glob, tree });
      found.push(...theirs);
    }
    return found;
  },
);

const textArb = fc
  .array(fc.constantFrom('a', 'b', 'A', 'ab', 'é', '.', '*', '\n', '\n', '\r\n', ' ', 'x'.repeat(200)), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''));

const searchedByRipgrep = fuzzer(
  'search-ripgrep',
  fc.record({
    tree: fc
      .tuple(
        treeArb({ lines: 'plain', ignoreNames: ['.gitignore'], isName: inAscii }),
        fc.array(textArb, { minLength: 1 }),
      )
      .map(([tree, texts]) => ({ ...tree, texts })),
    text: fc
      .array(fc.constantFrom('a', 'b', 'A', 'é', '.', '*', 'xx', ' '), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('')),
    ignore_case: fc.boolean(),
  }),
  async (host, { tree, text, ignore_case }) => {
    const argv = [...RIPGREP, '--fixed-strings', '--line-number', '--no-heading', '--with-filename'] as const;
    const output = host.run([...argv, ...(ignore_case ? ['--ignore-case'] : []), '-e', text]);
    const theirs = [...output.matchAll(/^([^\0\n]+)\0(\d+):/gm)].map(([, path, line]) => `${path}:${line}`);
    const lines = await host.lines('conductor::files/search', { text, ignore_case, limit: 2_000 });
    const ours = lines.map((line) => /^.*?:\d+(?=:)/.exec(line)?.[0] ?? line);
    compare(ours, theirs, { text, ignore_case, tree });
    return theirs;
  },
);

export const LISTED_FILES: readonly Fuzzer[] = [listedByGit, listedByRipgrep, globbedByGit, searchedByRipgrep];
