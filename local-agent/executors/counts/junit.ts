/**
 * JUnit XML: one `testcase` element for each test. Totals of suites are not used, because runners nest them differently.
 * Each character is looked at a bounded number of times, whatever the report contains.
 */
import type { TestCounts } from './test-counts.ts';

/** Text that may contain anything: where it begins, and where it ends. */
const OPAQUE = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
] as const;
const TAG = /<(\/?)(testcase|failure|error|skipped)(?![\w.:-])/y;

interface Tag {
  name: string;
  isClosing: boolean;
  isEmpty: boolean;
}

/** The tags that count, in their order. The rest of a text that breaks off inside one is passed over. */
function* tagsOf(xml: string): Generator<Tag> {
  for (let at = xml.indexOf('<'); at !== -1; ) {
    const opaque = OPAQUE.find(([begin]) => xml.startsWith(begin, at));
    const end = xml.indexOf(opaque?.[1] ?? '>', at);
    if (end === -1) return;
    TAG.lastIndex = at;
    const [, closing, name = ''] = (opaque === undefined && TAG.exec(xml)) || [];
    if (name !== '') yield { name, isClosing: closing === '/', isEmpty: xml.charAt(end - 1) === '/' };
    at = xml.indexOf('<', end);
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
