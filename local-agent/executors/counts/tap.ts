/** TAP, the Test Anything Protocol. Tests inside a test are indented, and only the outer one counts. */
import type { TestCounts } from './test-counts.ts';
import { NO_TESTS } from './test-counts.ts';

const TEST_LINE = /^(not )?ok\b[ \t]*\d*[ \t]*-?[ \t]*(?:.*?#[ \t]*(skip|todo)\b)?/i;
const PLAN = /^(?:TAP version \d+|1\.\.\d+)/;

/** Takes the lines of an output one by one. */
export class TapLines {
  readonly #counts: TestCounts = { ...NO_TESTS };
  #hasPlan = false;

  line(line: string): void {
    this.#hasPlan ||= PLAN.test(line);
    const found = TEST_LINE.exec(line);
    if (found === null) return;
    const [, isNot, directive] = found;
    // A failing test that is `todo` does not fail the run.
    if (directive !== undefined) this.#counts.skipped += 1;
    else if (isNot !== undefined) this.#counts.failed += 1;
    else this.#counts.passed += 1;
  }

  /** Null for a text that is no TAP. */
  counts(): TestCounts | null {
    const { passed, failed, skipped } = this.#counts;
    return this.#hasPlan && passed + failed + skipped > 0 ? { passed, failed, skipped } : null;
  }
}
