/** How many tests passed, from a report or from what test runners print. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

export const NO_TESTS: Readonly<TestCounts> = { passed: 0, failed: 0, skipped: 0 };

export function countsText({ passed, failed, skipped }: TestCounts): string {
  const parts = [`${passed} passed`, `${failed} failed`];
  return [...parts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', ');
}
