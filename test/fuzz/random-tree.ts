/** Random file trees with ignore files, made in a folder. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';

const NAMES = [
  ...['a', 'b', 'ab', 'A', 'foo', 'Foo', 'bar', 'foobar', 'build', 'a.log', 'b.log', 'x.ts', '.hidden', '.env'],
  ...['(auth)', '[slug]', '[...x]', '[[...x]]', 'a b', ' a', 'a ', 'caf\u00e9', 'cafe\u0301', 'l\nine', 't\tab'],
  ...['#h', '!n', 'b\\c', 'a*b', 'a?b', 'a]b', 'a-b', '^a', '{a,b}', '0', '9', 'z~', '日本', '~', '-'],
];
const nameArb = fc.constantFrom(...NAMES);
/** A few names again and again, so that rules and paths meet. */
const commonNameArb = fc.constantFrom('a', 'b', 'ab', 'foo', 'bar', 'build', 'a.log');
function pathsOf(names: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const either = fc.oneof({ weight: 3, arbitrary: commonNameArb }, { weight: 2, arbitrary: names });
  return fc.array(either, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
}

const TOKENS = [
  ...[
    '*',
    '*',
    '**',
    '***',
    '?',
    '/',
    '/',
    '**/',
    '/**',
    '/**/',
    '[ab]',
    '[!a]',
    '[^a]',
    '[a-c]',
    '[]a]',
    '[!]a]',
    '[a-',
  ],
  ...[
    '[',
    ']',
    '[[:alpha:]]',
    '[[:upper:]b]',
    '[[:nope:]]',
    '[[:alpha:]-z]',
    '[\\]]',
    '[a-\\c]',
    '[--0]',
    '\\',
    '\\\\',
    '\\*',
  ],
  ...['\\ ', ' ', '  ', '!', '\\!', '#', '\\#', '\\/', '-', '.', 'é', '\t', '\r', '{a,b}', '\u0000'],
];
/** Any line that Git may read. */
const anyLineArb = fc
  .tuple(
    fc.constantFrom('', '', '', '!', '/', '!/', '#', '\\'),
    fc.array(fc.oneof(commonNameArb, nameArb, fc.constantFrom(...TOKENS), fc.constantFrom('*', '/', '**')), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.constantFrom('', '', '/', ' ', '/ ', '\r', '\\ ', '\\'),
  )
  .map(([start, parts, end]) => `${start}${parts.join('')}${end}`);
/** Lines that Git and ripgrep read alike. */
const plainLineArb = fc
  .tuple(
    fc.constantFrom('', '', '!', '/', '**/'),
    fc.oneof(
      commonNameArb,
      fc.constantFrom('*.log', 'f*', '?', '[ab]', '[!a]*', 'a/b', 'foo/**/bar', 'build/*', 'a/**'),
    ),
    fc.constantFrom('', '', '/'),
  )
  .map(([start, name, end]) => `${start}${name}${end}`);

export interface RandomTree {
  /** Paths of files; one that another path needs as a folder is left out. */
  files: string[];
  /** The text of each file; without it one that names the file. */
  texts?: readonly string[];
  links: string[];
  /** Lines of ignore files, by the path of the file. */
  ignoreFiles: Record<string, string[]>;
  /** Folders that are repositories, beside the top one. */
  repositories: string[];
}

export interface TreeOptions {
  lines: 'any' | 'plain';
  /** The names of the ignore files. */
  ignoreNames: readonly string[];
  /** Which names files and folders may have. */
  isName?: (name: string) => boolean;
}

export function treeArb({ lines, ignoreNames, isName = () => true }: TreeOptions): fc.Arbitrary<RandomTree> {
  const pathArb = pathsOf(nameArb.filter(isName));
  const lineArb = lines === 'any' ? anyLineArb : plainLineArb;
  const linesArb = fc.array(lineArb, { minLength: 1, maxLength: 5 });
  const folderArb = fc.oneof({ weight: 2, arbitrary: fc.constant('.') }, pathArb);
  const fileArb = fc.tuple(folderArb, fc.constantFrom(...ignoreNames)).map((parts) => join(...parts));
  return fc.record({
    files: fc.array(pathArb, { minLength: 5, maxLength: 25 }),
    links: fc.array(pathArb, { maxLength: 2 }),
    ignoreFiles: fc.dictionary(fileArb, linesArb, { minKeys: 1, maxKeys: 4 }),
    repositories: fc.array(pathArb, { maxLength: 2 }),
  });
}

/** Makes a repository that Git accepts, without running Git. */
export function makeRepository(folder: string): void {
  for (const name of ['objects', 'refs', 'info']) mkdirSync(join(folder, '.git', name), { recursive: true });
  writeFileSync(join(folder, '.git', 'HEAD'), 'ref: refs/heads/main\n');
}

/** Makes what can be made of the tree: a path below a file, and a name that is taken, are left out. */
export function makeTree(top: string, { files, texts, links, ignoreFiles, repositories }: RandomTree): void {
  const attempt = (path: string, make: (full: string) => void) => {
    try {
      mkdirSync(dirname(join(top, path)), { recursive: true });
      make(join(top, path));
    } catch {
      // A file is where a folder is needed, or the other way round.
    }
  };
  makeRepository(top);
  for (const folder of repositories) attempt(folder, makeRepository);
  for (const [path, lines] of Object.entries(ignoreFiles)) {
    attempt(path, (full) => writeFileSync(full, lines.join('\n'), { flag: 'wx' }));
  }
  for (const [index, path] of files.entries()) {
    const text = texts?.[index % texts.length] ?? `content of ${path}\n`;
    attempt(path, (full) => writeFileSync(full, text, { flag: 'wx' }));
  }
  for (const path of links) attempt(path, (full) => symlinkSync('a', full));
}
