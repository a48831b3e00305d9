/** Random small trees of files and links, and what is found in a folder. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from './random.ts';

export interface TreeEntry {
  type: 'file' | 'link';
  /** The content as latin1, the target of a link. */
  text: string;
  mode: number;
}
export type Tree = Map<string, TreeEntry>;

const NAMES = [
  'a',
  'b',
  'c.txt',
  'dir/x',
  'dir/y',
  'dir/sub/z',
  'with space',
  'é',
  'q"uote',
  'back\\slash',
  'tab\there',
  'b/a',
  'b/in/deep',
  'dir',
];
const LINES = ['a', 'b', 'c', '', '', '}', '  x', '\tt', '-- ', '--- a', '+++ b', '@@ -1 +1 @@', 'é', '\\ no'];
const MODES = [0o644, 0o644, 0o600, 0o664, 0o755, 0o700];

export function randomText(random: Random): string {
  const lines = random.list(12, () => random.pick(LINES));
  const lineBreak = random.chance(0.1) ? '\r\n' : '\n';
  const text = lines.join(lineBreak) + (lines.length > 0 && random.chance(0.85) ? lineBreak : '');
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return random.chance(0.05) ? `${bytes}\xe9\xff` : bytes;
}

export function randomTree(random: Random): Tree {
  const tree: Tree = new Map();
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const path = random.pick(NAMES);
    if (isTaken(tree, path)) continue;
    const isLink = random.chance(0.08);
    tree.set(
      path,
      isLink
        ? { type: 'link', text: random.pick(['a', 'c.txt', 'nothing']), mode: 0o777 }
        : { type: 'file', text: randomText(random), mode: random.pick(MODES) },
    );
  }
  return tree;
}

/** Whether the path, a folder above it or a path below it is in the tree. */
function isTaken(tree: Tree, path: string): boolean {
  return [...tree.keys()].some((one) => one === path || one.startsWith(`${path}/`) || path.startsWith(`${one}/`));
}

function changedText(random: Random, text: string): string {
  const lines = text.split(/(?<=\n)/);
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const at = random.below(lines.length + 1);
    const fresh = random.chance(0.7) ? [`${random.pick(LINES)}\n`] : [];
    lines.splice(at, random.below(3), ...fresh.map((line) => Buffer.from(line).toString('latin1')));
  }
  return lines.join('');
}

/** The tree after some changes of a kind that a diff can express. */
export function changedTree(random: Random, tree: Tree): Tree {
  const changed: Tree = new Map([...tree].map(([path, entry]) => [path, { ...entry }]));
  for (const [path, entry] of tree) {
    const what = random.below(10);
    if (what < 6 && entry.type === 'file') changed.set(path, { ...entry, text: changedText(random, entry.text) });
    if (what === 5 && entry.type === 'file') changed.set(path, { ...entry, mode: entry.mode ^ 0o111 });
    if (what === 6) changed.delete(path);
    if (what === 7 || what === 8) {
      const target = random.pick(NAMES);
      if (isTaken(changed, target)) continue;
      if (what === 7) changed.delete(path);
      const text = random.chance(0.5) && entry.type === 'file' ? changedText(random, entry.text) : entry.text;
      changed.set(target, { ...entry, text });
    }
  }
  const fresh = random.pick(NAMES);
  if (random.chance(0.3) && !isTaken(changed, fresh)) {
    changed.set(fresh, { type: 'file', text: randomText(random), mode: random.pick(MODES) });
  }
  return changed;
}

/** The tree as it may have become meanwhile: lines come and go, so that hunks apply at another place or not at all. */
export function driftedTree(random: Random, tree: Tree): Tree {
  const drift = ([path, entry]: [string, TreeEntry]): [string, TreeEntry] => [
    path,
    entry.type === 'file' && random.chance(0.6) ? { ...entry, text: changedText(random, entry.text) } : entry,
  ];
  return new Map([...tree].map(drift));
}

export function writeTree(root: string, tree: Tree): void {
  mkdirSync(root, { recursive: true });
  for (const [path, { type, text, mode }] of tree) {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    if (type === 'link') symlinkSync(text, at);
    else {
      writeFileSync(at, text, 'latin1');
      chmodSync(at, mode);
    }
  }
}

export function readTree(root: string, below = ''): Tree {
  const tree: Tree = new Map();
  for (const name of readdirSync(join(root, below))) {
    const path = join(below, name);
    const found = lstatSync(join(root, path));
    if (found.isDirectory()) for (const [inner, entry] of readTree(root, path)) tree.set(inner, entry);
    else if (found.isSymbolicLink())
      tree.set(path, { type: 'link', text: readlinkSync(join(root, path)), mode: 0o777 });
    else tree.set(path, { type: 'file', text: readFileSync(join(root, path), 'latin1'), mode: found.mode & 0o777 });
  }
  return tree;
}

/** The tree as text that can be compared. `exact`: with all permissions, where git keeps only whether a file can be run. */
export function showTree(tree: Tree, { exact }: { exact: boolean }): string {
  const rows = [...tree].map(([path, { type, text, mode }]) => {
    const bits = exact ? mode.toString(8) : (mode & 0o100) === 0 ? '' : 'x';
    return `${path} ${type} ${bits} ${JSON.stringify(text)}`;
  });
  return rows.sort().join('\n');
}
