/** TAP, the Test Anything Protocol. Tests inside a test are indented, and only the outer one counts. */
import type { TestCounts } from './test-counts.ts';

const TEST_LINE = /^(not )?ok\b[ \t]*\d*[ \t]*-?[ \t]*(?:.*?#[ \t]*(skip|todo)\b)?/i;
const HAS_PLAN = /^(?:TAP version \d+|1\.\.\d+)/m;

/** Null for a text that is no TAP. */
export function tapCounts(text: string): TestCounts | null {
  if (!HAS_PLAN.test(text)) return null;
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  for (const line of text.split('\n')) {
    const found = TEST_LINE.exec(line);
    if (found === null) continue;
    const [, isNot, directive] = found;
    // A failing test that is `todo` does not fail the run.
    if (directive !== undefined) counts.skipped += 1;
    else if (isNot !== undefined) counts.failed += 1;
    else counts.passed += 1;
  }
  return counts.passed + counts.failed + counts.skipped === 0 ? null : counts;
}
