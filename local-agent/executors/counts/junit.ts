/**
 * JUnit XML: one `testcase` element for each test. Totals of suites are not used, because runners nest them differently. The
 * text is of a foreign program, so it is read in one pass for any content.
 */
import type { TestCounts } from './test-counts.ts';

/** Text that may contain anything: where it begins and ends. */
const OPAQUE = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
] as const;
const NAME = /<(\/?)(testcase|failure|error|skipped)(?![\w.:-])/y;
const QUOTE_OR_END = /["'>]/g;

interface Tag {
  name: string;
  isClosing: boolean;
  isEmpty: boolean;
}

/** Where the tag that begins at `from` ends, with what is quoted in it passed over; -1 when it does not end. */
function endOfTag(xml: string, from: number): number {
  for (let at = from; ; ) {
    QUOTE_OR_END.lastIndex = at;
    const found = QUOTE_OR_END.exec(xml);
    if (found === null) return -1;
    if (found[0] === '>') return found.index;
    const quoteEnd = xml.indexOf(found[0], found.index + 1);
    if (quoteEnd === -1) return -1;
    at = quoteEnd + 1;
  }
}

/** The tags that count. A text that breaks off inside a tag or an opaque text ends there. */
function* tagsOf(xml: string): Generator<Tag> {
  for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at)) {
    const from = at;
    const opaque = OPAQUE.find(([begin]) => xml.startsWith(begin, from));
    const end = opaque === undefined ? endOfTag(xml, at) : xml.indexOf(opaque[1], at + opaque[0].length);
    if (end === -1) return;
    NAME.lastIndex = at;
    const [, slash, name] = opaque === undefined ? (NAME.exec(xml) ?? []) : [];
    if (name !== undefined) yield { name, isClosing: slash === '/', isEmpty: xml[end - 1] === '/' };
    at = end + 1;
  }
}

/** Null for a text that has no test. */
export function junitCounts(xml: string): TestCounts | null {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  let outcome: keyof TestCounts | null = null;
  for (const { name, isClosing, isEmpty } of tagsOf(xml)) {
    if (name !== 'testcase') {
      if (outcome !== null && !isClosing && outcome !== 'failed') outcome = name === 'skipped' ? 'skipped' : 'failed';
      continue;
    }
    if (!isClosing) outcome = 'passed';
    if (outcome !== null && (isClosing || isEmpty)) {
      counts[outcome] += 1;
      outcome = null;
    }
  }
  return counts.passed + counts.failed + counts.skipped === 0 ? null : counts;
}
