/** Changes to the text of a diff: those that people and assistants make by mistake, and those of an attacker. */
import type { Random } from './random.ts';

type Mutation = (lines: string[], random: Random) => string[];

function hunkStarts(lines: readonly string[]): number[] {
  return lines.flatMap((line, at) => (line.startsWith('@@ -') ? [at] : []));
}

/** The lines from one hunk's header to the next header of any kind. */
function hunkAt(lines: readonly string[], start: number): string[] {
  const end = lines.findIndex((line, at) => at > start && /^(@@ -|diff --git |--- )/.test(line));
  return lines.slice(start, end < 0 ? lines.length : end);
}

function replaced(lines: readonly string[], at: number, count: number, fresh: readonly string[]): string[] {
  return [...lines.slice(0, at), ...fresh, ...lines.slice(at + count)];
}

function inHeader(change: (numbers: number[], random: Random) => number[]): Mutation {
  return (lines, random) => {
    const starts = hunkStarts(lines);
    if (starts.length === 0) return lines;
    const at = random.pick(starts);
    const match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(lines[at] ?? '');
    const numbers = (match ?? []).slice(1, 5).map((text) => Number(text ?? 1));
    const [a, b, c, d] = change(numbers, random);
    return replaced(lines, at, 1, [`@@ -${a},${b} +${c},${d} @@`]);
  };
}

export const MUTATIONS: Record<string, Mutation> = {
  'hunks swapped': (lines) => {
    const [first, second] = hunkStarts(lines);
    if (first === undefined || second === undefined) return lines;
    const [a, b] = [hunkAt(lines, first), hunkAt(lines, second)];
    return first + a.length === second ? replaced(lines, first, a.length + b.length, [...b, ...a]) : lines;
  },
  'hunk repeated': (lines, random) => {
    const starts = hunkStarts(lines);
    if (starts.length === 0) return lines;
    const hunk = hunkAt(lines, random.pick(starts));
    return replaced(lines, lines.indexOf(hunk[0] ?? '') + hunk.length, 0, hunk);
  },
  'place changed': inHeader(([a = 1, b = 1, c = 1, d = 1], random) => {
    const by = random.below(7) - 3;
    return [Math.max(0, a + by), b, Math.max(0, c + by), d];
  }),
  'places made up': (lines) => lines.map((line) => line.replace(/^@@ -\d+,(\d+) \+\d+,(\d+)/, '@@ -7,$1 +7,$2')),
  'counts changed': inHeader(([a = 1, b = 1, c = 1, d = 1], random) => [
    a,
    Math.max(0, b + random.below(3) - 1),
    c,
    Math.max(0, d + random.below(3) - 1),
  ]),
  'line dropped': (lines, random) => replaced(lines, random.below(lines.length), 1, []),
  'line repeated': (lines, random) => {
    const at = random.below(lines.length);
    return replaced(lines, at, 0, lines.slice(at, at + 1));
  },
  'line put in': (lines, random) =>
    replaced(lines, random.below(lines.length + 1), 0, [
      random.pick(['', ' ', '-', '+', '-- ', 'text', '+a', '-a', ' a']),
    ]),
  'prefix changed': (lines, random) => {
    const at = random.below(lines.length);
    return replaced(lines, at, 1, [random.pick([' ', '+', '-']) + (lines[at] ?? '').slice(1)]);
  },
  'blanks at line ends lost': (lines) =>
    lines.map((line) => (line.startsWith('--- ') ? line : line.replace(/[ \t]+$/, ''))),
  'end lost': (lines, random) => lines.slice(0, Math.max(1, lines.length - 1 - random.below(3))),
  'mail around it': (lines) => [
    ...[
      'From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001',
      'Subject: [PATCH] x',
      '',
      'text',
      '---',
    ],
    ...lines,
    ...['-- ', '2.39.5', ''],
  ],
  'header line dropped': (lines, random) => {
    const headers = lines.flatMap((line, at) =>
      /^(diff|index|---|\+\+\+|new|old|deleted|rename|copy|sim)/.test(line) ? [at] : [],
    );
    return headers.length === 0 ? lines : replaced(lines, random.pick(headers), 1, []);
  },
  'the whole twice': (lines) => [...lines, ...lines],
  'outside by name': (lines, random) => {
    const to = random.pick(['../out', '/tmp/out', '.git/config', 'x/../../out', 'HEAD']);
    return lines.map((line) => line.replace(/^(\+\+\+|---) [ab]\/.*$/, `$1 b/${to}`));
  },
};

export function mutate(patch: string, random: Random): { patch: string; names: string[] } {
  let lines = patch.replace(/\n$/, '').split('\n');
  const names = Array.from({ length: 1 + random.below(2) }, () => random.pick(Object.keys(MUTATIONS)));
  for (const name of names) lines = MUTATIONS[name]?.(lines, random) ?? lines;
  return { patch: `${lines.join('\n')}\n`, names };
}
