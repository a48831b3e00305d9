/**
 * JUnit XML: one `testcase` element for each test. Totals of suites are not used, because runners nest them differently. The
 * text is of a foreign program, so it is read in one pass whatever it has.
 */
import type { TestCounts } from './test-counts.ts';

<<<<<<< HEAD
/** Text that may contain anything: how it begins and ends. */
=======
/** Text that may contain anything: where it begins and ends. */
>>>>>>> host11
const OPAQUE = [
  ['<![CDATA[', ']]>'],
  ['<!--', '-->'],
] as const;
<<<<<<< HEAD
const NAME = /<(\/?)(testcase|failure|error|skipped)\b/y;
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
    const opaque = OPAQUE.find(([begin]) => xml.startsWith(begin, at));
    const end = opaque === undefined ? endOfTag(xml, at) : xml.indexOf(opaque[1], at + opaque[0].length);
    if (end === -1) return;
    NAME.lastIndex = at;
    const [, slash, name] = NAME.exec(xml) ?? [];
    if (name !== undefined) yield { name, isClosing: slash === '/', isEmpty: xml[end - 1] === '/' };
    at = end + 1;
  }
}
=======

/** The content of each tag, in one pass whatever the text is. What is not closed ends it. */
function* tagsOf(xml: string): Generator<string> {
  for (let at = xml.indexOf('<'); at !== -1; ) {
    const from = at;
    const opaque = OPAQUE.find(([begin]) => xml.startsWith(begin, from));
    const close = opaque?.[1] ?? '>';
    const end = xml.indexOf(close, from);
    if (end === -1) return;
    if (opaque === undefined) yield xml.slice(from + 1, end);
    at = xml.indexOf('<', end + close.length);
  }
}

const NAME = /^(\/?)(testcase|failure|error|skipped)(?![\w.:-])/;
>>>>>>> host11

/** Null for a text that has no test. */
export function junitCounts(xml: string): TestCounts | null {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  let outcome: keyof TestCounts | null = null;
<<<<<<< HEAD
  for (const { name, isClosing, isEmpty } of tagsOf(xml)) {
=======
  for (const tag of tagsOf(xml)) {
    const [, closing, name] = NAME.exec(tag) ?? [];
    if (name === undefined) continue;
>>>>>>> host11
    if (name !== 'testcase') {
      if (outcome !== null && !isClosing && outcome !== 'failed') outcome = name === 'skipped' ? 'skipped' : 'failed';
      continue;
    }
<<<<<<< HEAD
    if (!isClosing) outcome = 'passed';
    if (outcome !== null && (isClosing || isEmpty)) {
=======
    if (closing === '') outcome = 'passed';
    if (outcome !== null && (closing !== '' || tag.endsWith('/'))) {
>>>>>>> host11
      counts[outcome] += 1;
      outcome = null;
    }
  }
  return counts.passed + counts.failed + counts.skipped === 0 ? null : counts;
}
