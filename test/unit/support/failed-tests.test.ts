import { describe, expect, it } from 'vitest';
import { failedFiles, failedTestLines } from '../../support/failed-tests.ts';

function test(title: string, error: string | null) {
  const failureMessages = error === null ? [] : [`${error}\n    at somewhere.ts:1:1`];
  return { ancestorTitles: ['a part'], title, status: error === null ? 'passed' : 'failed', failureMessages };
}

function file(name: string, tests: ReturnType<typeof test>[], message = '') {
  const isFailed = message !== '' || tests.some(({ status }) => status === 'failed');
  return { name: `/repo/test/${name}`, status: isFailed ? 'failed' : 'passed', message, assertionResults: tests };
}

const linesOf = (...testResults: ReturnType<typeof file>[]) => failedTestLines({ testResults }, null, '/repo');

describe('the list of failed tests', () => {
  it('is empty when every test passed', () => {
    expect(linesOf(file('a.test.ts', [test('holds', null)]))).toEqual([]);
  });

  it('names each failed test with the first line of its error', () => {
    const a = file('a.test.ts', [test('holds', null), test('breaks', 'AssertionError: expected 1 to be 2')]);
    expect(linesOf(a)).toEqual([
      'Failed tests (1):',
      '× test/a.test.ts > a part > breaks',
      '    AssertionError: expected 1 to be 2',
    ]);
  });

  it('names a file whose set-up failed, or that could not be loaded', () => {
    expect(linesOf(file('a.test.ts', [test('holds', null)], 'no Firefox\nmore'))).toEqual([
      'Failed tests (1):',
      '× test/a.test.ts',
      '    no Firefox',
    ]);
  });

  it('names a test that passed in the second run as unstable, and one that failed again as failed', () => {
    const broken = test('breaks', 'Error: no');
    const first = { testResults: [file('a.test.ts', [broken, test('wavers', 'Error: late')])] };
    const second = { testResults: [file('a.test.ts', [broken, test('wavers', null)])] };
    expect(failedFiles(first, '/repo')).toEqual(['test/a.test.ts']);
    expect(failedTestLines(first, second, '/repo')).toEqual([
      'Unstable tests: failed, then passed in a second run (1):',
      '× test/a.test.ts > a part > wavers',
      '    Error: late',
      'Failed tests (1):',
      '× test/a.test.ts > a part > breaks',
      '    Error: no',
    ]);
  });

  it.each([1, 19, 20, 38, 39, 500])('has at most 40 lines of bounded length for %i failures', (count) => {
    const tests = Array.from({ length: count }, (_, n) => test(`breaks ${n} ${'x'.repeat(500)}`, 'Error: no'));
    const lines = linesOf(file('a.test.ts', tests));
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(200);
    const named = lines.filter((line) => line.startsWith('×')).length;
    expect(named).toBe(Math.min(count, count < 40 ? count : 38));
  });
});
