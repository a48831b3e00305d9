/** The last lines of common test runners, with colours removed. Each row: a line that sums up, and what its numbers mean. */
import { terminalText } from '../../lib/terminal-text.ts';
import type { TestCounts } from './test-counts.ts';

/**
 * Lines that sum up a run of vitest, jest, pytest, mocha, cargo, rspec or unittest; all expressions of a row match. None of
 * them takes more than linear time, and no longer line is looked at: a step may print anything.
 */
const SUMMARIES: readonly (readonly RegExp[])[] = [
  [/^\s*Tests:?\s+\d+ /],
  [/^=+ .*=$/, /\b\d{1,9} (?:passed|failed|errors?|skipped)\b/, / in [\d.]+/],
  [/^\d+ (?:passed|failed)\b.* in [\d.]+s$/],
  [/^\s*\d+ (?:passing|failing|pending)\b/],
  [/^test result: \w+\. /],
  [/^\d+ examples?, \d+ failures?/],
];
const MAX_LINE_CHARS = 500;
const NUMBER =
  /\b(\d{1,9}) (passed|passing|failed|failing|failures?|errors?|skipped|pending|ignored|todo|examples?)\b/g;
const UNITTEST = /^Ran (\d+) tests? in /;
const UNITTEST_END = /^(?:OK|FAILED)(?: \((.*)\))?$/;
const MAX_LINES = 200;

function add(counts: TestCounts, count: number, word: string): void {
  if (/^pass/.test(word)) counts.passed += count;
  else if (/^(fail|error)/.test(word)) counts.failed += count;
  else counts.skipped += count;
}

function fromExamples(counts: TestCounts, examples: number): TestCounts {
  return { ...counts, passed: Math.max(0, examples - counts.failed - counts.skipped) };
}

function countsOfLine(line: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  let examples: number | null = null;
  for (const [, number = '0', word = ''] of line.matchAll(NUMBER)) {
    if (word.startsWith('example')) examples = Number(number);
    else add(counts, Number(number), word);
  }
  return examples === null ? counts : fromExamples(counts, examples);
}

function unittestCounts(lines: readonly string[]): TestCounts | null {
  const at = lines.findLastIndex((line) => UNITTEST.test(line));
  if (at === -1) return null;
  const total = Number(UNITTEST.exec(lines[at] ?? '')?.[1] ?? 0);
  const end = lines.slice(at).flatMap((line) => UNITTEST_END.exec(line)?.[1] ?? [])[0] ?? '';
  const numbers = Object.fromEntries(
    [...end.matchAll(/\b([a-z]+(?: [a-z]+)?)=(\d{1,9})/g)].map(([, name, n]) => [name, Number(n)]),
  );
  const failed = (numbers.failures ?? 0) + (numbers.errors ?? 0);
  const skipped = numbers.skipped ?? 0;
  return { failed, skipped, passed: Math.max(0, total - failed - skipped) };
}

/** Mocha says `passing` and `failing` in lines of their own, so neighbours are added. */
function summedUp(lines: readonly string[]): TestCounts | null {
  const found = lines.filter((line) => SUMMARIES.some((summary) => summary.every((part) => part.test(line))));
  const last = found.at(-1);
  if (last === undefined) return null;
  const isMocha = /^\s*\d+ (passing|failing|pending)\b/.test(last);
  const used = isMocha ? found.filter((line) => /^\s*\d+ (passing|failing|pending)\b/.test(line)).slice(-3) : [last];
  return used.map(countsOfLine).reduce((sum, one) => ({
    passed: sum.passed + one.passed,
    failed: sum.failed + one.failed,
    skipped: sum.skipped + one.skipped,
  }));
}

/** Null when no line sums up. */
export function lastLineCounts(text: string): TestCounts | null {
  const last = terminalText(text).trimEnd().split('\n').slice(-MAX_LINES);
  const lines = last.filter((line) => line.length <= MAX_LINE_CHARS);
  return summedUp(lines) ?? unittestCounts(lines);
}
