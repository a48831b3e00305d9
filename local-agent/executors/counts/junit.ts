/** JUnit XML: one `testcase` element for each test. Totals of suites are not used, because runners nest them differently. */
import type { TestCounts } from './test-counts.ts';

/** Text that may contain anything: where it begins and ends. */
const OPAQUE = [
  ['<![CDATA[', ']]>'],
  ['<!--', '-->'],
] as const;

/** The content of each tag, in one pass over any text. What is not closed ends it. */
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

/** Null for a text that has no test. */
export function junitCounts(xml: string): TestCounts | null {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  let outcome: keyof TestCounts | null = null;
  for (const tag of tagsOf(xml)) {
    const [, closing, name] = NAME.exec(tag) ?? [];
    if (name === undefined) continue;
    if (name !== 'testcase') {
      if (outcome !== null && closing === '' && outcome !== 'failed')
        outcome = name === 'skipped' ? 'skipped' : 'failed';
      continue;
    }
    if (closing === '') outcome = 'passed';
    if (outcome !== null && (closing !== '' || tag.endsWith('/'))) {
      counts[outcome] += 1;
      outcome = null;
    }
  }
  return counts.passed + counts.failed + counts.skipped === 0 ? null : counts;
}
