/** Where `files/patch` and `git apply` differ on purpose, and what must hold there nevertheless. */
import type { Tree } from './patch-trees.ts';

interface Stricter {
  name: string;
  /** What ours says. */
  ours: RegExp;
  /** Only where git refuses it as well when it counts again. */
  counts?: true;
  /** Only where this holds, by the lines of the patch and by what `ours` has captured. */
  holds?: (patch: readonly string[], captured: readonly string[]) => boolean;
}

/** Ours refuses what git applies. */
export const STRICTER: readonly Stricter[] = [
  { name: 'two parts create the same file, where git takes the later one', ours: /is created twice/ },
  {
    name: 'lines without context are not where their number says, where git puts them at the end',
    ours: /nothing says where it belongs/,
  },
  { name: 'a part changes nothing, which git passes over', ours: /the part of .* changes nothing/ },
  { name: 'a first line of git with nothing below it, which git passes over', ours: /the part names no file/ },
  {
    name: 'a link that leads nowhere or out of the roots, which git makes',
    ours: /(?:lies outside|path outside) .*roots|is a link to nothing/,
  },
  { name: 'the two names of a part differ, of which git takes one', ours: /the names .* differ/ },
  { name: 'a file in the place of a folder, which git removes when it is empty', ours: /not a regular file/ },
  {
    name: 'the first line of git names another file than the lines below it, of which git takes the latter',
    ours: /the first line names .* and the lines below it/,
  },
  {
    name: 'the last line of the file has blanks at its end that the hunk lacks, which git removes without a word',
    ours: /line (\d+) of the patch expects .* \(only white space differs\)/,
    holds: (patch, [line]) => patch[Number(line)]?.startsWith('\\ No newline') === true,
  },
  { name: 'a file named HEAD, with which a folder becomes a repository', ours: /would make a folder a Git repository/ },
  { name: 'two names without a hunk below them, which git passes over', ours: /no hunk \(.*\) follows --- and \+\+\+/ },
  {
    name: 'lines beyond the counts make the hunk unclear, which git leaves out',
    ours: /begins neither|has lines that remain|has old lines|without a line break .* is not the last one/,
  },
  {
    name: 'lines beyond the counts do not fit, which git leaves out',
    ours: /does not fit/,
    counts: true,
  },
];

/** Ours applies what git refuses, by what git says. */
export const WIDER: readonly { name: string; git: RegExp }[] = [
  {
    name: 'the counts in the header of a hunk are wrong, but its lines are clear',
    git: /corrupt patch at line|patch fragment without header/,
  },
  { name: 'one of the two names is missing', git: /lacks filename information/ },
  { name: 'a new file without its mode', git: /dev\/null: No such file/ },
  { name: 'the old mode is missing', git: /patch with only garbage/ },
  {
    name: 'a hunk fits exactly one place, which its numbers or missing context do not allow in git',
    git: /patch does not apply/,
  },
];

/** The added and removed lines of a patch, as they are written. */
function changedLines(patch: string): { sign: 1 | -1; line: string }[] {
  let isInHunk = false;
  return patch.split('\n').flatMap((line, at, lines) => {
    const next = lines[at + 1] ?? '';
    if (line.startsWith('@@')) isInHunk = true;
    else if (/^(diff|index|Subject|From) /.test(line)) isInHunk = false;
    else if (line.startsWith('--- ') && /^\+\+\+ /.test(next) && /^@@/.test(lines[at + 2] ?? '')) isInHunk = false;
    else if (/^-- ?$/.test(line) && /^2\./.test(next)) isInHunk = false;
    if (!isInHunk || !/^[-+]/.test(line)) return [];
    return [{ sign: line.startsWith('+') ? 1 : -1, line: line.slice(1).replace(/\r$/, '') } as const];
  });
}

/** The lines of a text without their line breaks. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replace(/\r$/, ''));
}

/** Whether the results differ only in that lines of LF have got the CRLF of their file, which git leaves mixed. */
export function differOnlyByLineBreaks(ours: Tree, theirs: Tree): boolean {
  const plain = (text: string | undefined) => text?.replaceAll('\r\n', '\n');
  return [...ours].every(([path, { text }]) => {
    const other = theirs.get(path)?.text;
    if (text === other) return true;
    return plain(text) === plain(other) && !/(?<!\r)\n/.test(text) && text.includes('\r\n');
  });
}

/** Whether ours refuses on purpose what git applies, by what ours says. */
export function isStricter({ ours, holds }: Stricter, patch: string, said: string): boolean {
  const found = ours.exec(said);
  return found !== null && (holds === undefined || holds(patch.split('\n'), found.slice(1)));
}

/** A line of which there is more or less after a patch than its added and removed lines make; null when there is none. */
export function linesLostOrCopied(before: Tree, after: Tree, patch: string): string | null {
  // The lines of a copied file are in no hunk.
  if (/^copy from/m.test(patch)) return null;
  const balance = new Map<string, number>();
  const count = (line: string, by: number) => balance.set(line, (balance.get(line) ?? 0) + by);
  const countTree = (tree: Tree, by: number) => {
    for (const { text } of tree.values()) for (const line of linesOf(text)) count(line, by);
  };
  countTree(before, 1);
  countTree(after, -1);
  for (const { sign, line } of changedLines(patch)) count(line, sign);
  const wrong = [...balance].find(([, left]) => left !== 0);
  return wrong === undefined ? null : JSON.stringify(wrong);
}
