/** JUnit XML: one `testcase` element for each test. Totals of suites are not used, because runners nest them differently. */
import type { TestCounts } from './test-counts.ts';

/** Text that may contain anything. */
const OPAQUE = /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->/g;
const TAG = /<(\/?)(testcase|failure|error|skipped)\b[^>]*?(\/?)>/g;

/** Null for a text that has no test. */
export function junitCounts(xml: string): TestCounts | null {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  let outcome: keyof TestCounts | null = null;
  for (const [, closing, name, empty] of xml.replace(OPAQUE, '').matchAll(TAG)) {
    if (name !== 'testcase') {
      if (outcome !== null && closing === '' && outcome !== 'failed')
        outcome = name === 'skipped' ? 'skipped' : 'failed';
      continue;
    }
    if (closing === '') outcome = 'passed';
    if (outcome !== null && (closing !== '' || empty !== '')) {
      counts[outcome] += 1;
      outcome = null;
    }
  }
  return counts.passed + counts.failed + counts.skipped === 0 ? null : counts;
}
