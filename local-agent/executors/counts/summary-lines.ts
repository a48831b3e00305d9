/**
 * The lines in which common test runners sum up. A command may run several of them, one for each package: all are added. None
 * of the expressions takes more than linear time, and no longer line is looked at: a step may print anything.
 */
import { terminalText } from '../../lib/terminal-text.ts';
import type { TestCounts } from './test-counts.ts';
import { NO_TESTS } from './test-counts.ts';

/** Lines with all counts of a run, or one of them (mocha, node:test); all expressions of a row match. */
const SUMMARIES: readonly (readonly RegExp[])[] = [
  // vitest and jest, also behind the name of a package
  [/(?:^|: )\s*Tests:?\s+\d+ (?:passed|failed|skipped|todo)\b/],
  // pytest
  [/^=+ .*=$/, /\b\d{1,9} (?:passed|failed|errors?|skipped)\b/, / in [\d.]+/],
  [/^\d+ (?:passed|failed)\b.* in [\d.]+s$/],
  // mocha
  [/^\s*\d+ (?:passing|failing|pending)\b/],
  // cargo, once for each crate and for the examples in its documentation; cargo-nextest
  [/^test result: \w+\. /],
  [/^\s*Summary \[.*\] \d+ tests? run: /],
  // rspec, gradle
  [/^\d+ examples?, \d+ failures?/],
  [/^\d+ tests? completed, \d+ failed\b/],
];
const MAX_LINE_CHARS = 500;
const NUMBER =
  /\b(\d{1,9}) (passed|passing|failed|failing|failures?|errors?|skipped|pending|ignored|todo|examples?|tests? completed)\b/g;
/** node:test. */
const NODE_COUNT = /^ℹ (pass|fail|cancelled|skipped|todo) (\d{1,9})$/;
/** Maven, of a module; the lines of its classes end with a time. */
const MAVEN = /^(?:\[\w+\] )?Tests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9}), Skipped: (\d{1,9})$/;
/** Go, with -v; without it only failures have a line. Tests inside a test are indented, and only the outer one counts. */
const GO_VERBOSE = /^=== RUN /;
const GO_TEST = /^--- (PASS|FAIL|SKIP): /;
const UNITTEST = /^Ran (\d{1,9}) tests? in /;
const UNITTEST_END = /^(?:OK|FAILED)(?: \((.*)\))?$/;

/** `part` of `total` in words of a runner; what has no word of its own has passed. */
function withPassed(total: number, { failed, skipped }: Pick<TestCounts, 'failed' | 'skipped'>): TestCounts {
  return { failed, skipped, passed: Math.max(0, total - failed - skipped) };
}

function countsOfLine(line: string): TestCounts {
  const counts: TestCounts = { ...NO_TESTS };
  let total: number | null = null;
  for (const [, number = '0', word = ''] of line.matchAll(NUMBER)) {
    if (/^(example|test)/.test(word)) total = Number(number);
    else if (/^pass/.test(word)) counts.passed += Number(number);
    else if (/^(fail|error)/.test(word)) counts.failed += Number(number);
    else counts.skipped += Number(number);
  }
  return total === null ? counts : withPassed(total, counts);
}

function nodeCounts([, word = '', number = '0']: RegExpExecArray): TestCounts {
  const key = word === 'pass' ? 'passed' : /^(fail|cancelled)$/.test(word) ? 'failed' : 'skipped';
  return { ...NO_TESTS, [key]: Number(number) };
}

function mavenCounts([, ...numbers]: RegExpExecArray): TestCounts {
  const [total = 0, failures = 0, errors = 0, skipped = 0] = numbers.map(Number);
  return withPassed(total, { failed: failures + errors, skipped });
}

function goCounts([, outcome = '']: RegExpExecArray): TestCounts {
  const key = outcome === 'PASS' ? 'passed' : outcome === 'FAIL' ? 'failed' : 'skipped';
  return { ...NO_TESTS, [key]: 1 };
}

function unittestCounts(total: number, end: string): TestCounts {
  const found = [...end.matchAll(/\b([a-z]+(?: [a-z]+)?)=(\d{1,9})/g)].map(([, name, n]) => [name, Number(n)]);
  const { failures = 0, errors = 0, skipped = 0 } = Object.fromEntries(found) as Record<string, number>;
  return withPassed(total, { failed: failures + errors, skipped });
}

/** Takes the lines of an output one by one, and adds up what sums up. */
export class SummaryLines {
  #counts: TestCounts | null = null;
  #isGoVerbose = false;
  /** Tests that unittest ran; how they ended is in a later line. */
  #ran: number | null = null;

  line(raw: string): void {
    if (raw.length > 4 * MAX_LINE_CHARS) return;
    const line = terminalText(raw).trimEnd();
    if (line.length > MAX_LINE_CHARS) return;
    const found = this.#countsOf(line);
    if (found !== null) this.#add(found);
  }

  /** Null when no line sums up. */
  counts(): TestCounts | null {
    return this.#counts;
  }

  #countsOf(line: string): TestCounts | null {
    if (SUMMARIES.some((summary) => summary.every((part) => part.test(line)))) return countsOfLine(line);
    const ofNode = NODE_COUNT.exec(line);
    if (ofNode !== null) return nodeCounts(ofNode);
    const ofMaven = MAVEN.exec(line);
    if (ofMaven !== null) return mavenCounts(ofMaven);
    return this.#countsOfGo(line) ?? this.#countsOfUnittest(line);
  }

  #countsOfGo(line: string): TestCounts | null {
    this.#isGoVerbose ||= GO_VERBOSE.test(line);
    const found = this.#isGoVerbose ? GO_TEST.exec(line) : null;
    return found === null ? null : goCounts(found);
  }

  #countsOfUnittest(line: string): TestCounts | null {
    const ran = UNITTEST.exec(line)?.[1];
    if (ran !== undefined) this.#ran = Number(ran);
    const end = this.#ran === null ? null : UNITTEST_END.exec(line);
    if (this.#ran === null || end === null) return null;
    const counts = unittestCounts(this.#ran, end[1] ?? '');
    this.#ran = null;
    return counts;
  }

  #add({ passed, failed, skipped }: TestCounts): void {
    const { passed: p, failed: f, skipped: s } = this.#counts ?? NO_TESTS;
    this.#counts = { passed: p + passed, failed: f + failed, skipped: s + skipped };
  }
}

/** Of a text. Null when no line sums up. */
export function summaryCounts(text: string): TestCounts | null {
  const lines = new SummaryLines();
  for (const line of text.split('\n')) lines.line(line);
  return lines.counts();
}
