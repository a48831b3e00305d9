import { describe, expect, it } from 'vitest';
import { junitCounts } from '../../../../local-agent/executors/counts/junit.ts';
import { summaryCounts } from '../../../../local-agent/executors/counts/summary-lines.ts';
import { TapLines } from '../../../../local-agent/executors/counts/tap.ts';
import { growth } from '../../../support/growth.ts';

describe('the counts of a JUnit report', () => {
  it('are those of its test cases, in any nesting of suites', () => {
    const xml = `<?xml version="1.0"?><testsuites tests="99"><testsuite name="a"><testsuite name="b">
      <testcase name="passes"/>
      <testcase name="also passes"><system-out>text</system-out></testcase>
      <testcase name="fails"><failure message="no">stack</failure></testcase>
      <testcase name="breaks"><error/></testcase>
      <testcase name="left out"><skipped/></testcase>
    </testsuite></testsuite></testsuites>`;
    expect(junitCounts(xml)).toEqual({ passed: 2, failed: 2, skipped: 1 });
  });

  it('do not take text of a test for elements', () => {
    const xml =
      '<testcase name="x"><system-out><![CDATA[<testcase/><failure/>]]></system-out></testcase><!-- <testcase/> -->';
    expect(junitCounts(xml)).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });

  it('are right where an attribute has a sign of XML', () => {
    const xml = '<testcase name="1 > 0"/><testcase name="it\'s"><failure message="a > b /"/></testcase><testcase/>';
    expect(junitCounts(xml)).toEqual({ passed: 2, failed: 1, skipped: 0 });
  });

  it('are those of the part before a break', () => {
    expect(junitCounts('<testcase/><testcase name="cut')).toEqual({ passed: 1, failed: 0, skipped: 0 });
  });

  it('are none for another text', () => {
    expect(junitCounts('<html></html>')).toBeNull();
  });

  it.each(['<testcase ', '<!--', '<![CDATA[', '"<'])('cost in proportion to a text of nothing but %j', (part) => {
    const prepare = (size: number) => {
      const xml = part.repeat(size);
      return () => junitCounts(xml);
    };
    expect(growth(prepare, [5_000, 40_000], 32)).toBeLessThan(32);
  });
});

function tapCounts(text: string) {
  const lines = new TapLines();
  for (const line of text.split('\n')) lines.line(line);
  return lines.counts();
}

describe('the counts of TAP', () => {
  it('are those of the outer tests', () => {
    const tap = [
      'TAP version 13',
      '1..4',
      'ok 1 - one',
      '    not ok 1 - inner',
      'not ok 2 - two',
      'ok 3 # SKIP later',
      'not ok 4 - x # TODO y',
    ];
    expect(tapCounts(tap.join('\n'))).toEqual({ passed: 1, failed: 1, skipped: 2 });
  });

  it('are none for a text without a plan', () => {
    expect(tapCounts('ok then\nnot ok at all')).toBeNull();
  });
});

describe('the lines in which a test runner sums up', () => {
  it.each([
    [
      'vitest',
      ' Test Files  1 failed (1)\n\u001b[2m      Tests \u001b[22m \u001b[31m2 failed\u001b[39m | \u001b[32m23 passed\u001b[39m | 1 skipped (26)\n   Duration  2s',
      { passed: 23, failed: 2, skipped: 1 },
    ],
    [
      'jest',
      'Test Suites: 1 passed, 1 total\nTests:       1 failed, 2 passed, 3 total\nTime: 1 s',
      { passed: 2, failed: 1, skipped: 0 },
    ],
    ['pytest', '===== 3 failed, 20 passed, 1 skipped in 1.20s =====', { passed: 20, failed: 3, skipped: 1 }],
    ['mocha', '  12 passing (20ms)\n  2 pending\n  1 failing', { passed: 12, failed: 1, skipped: 2 }],
    [
      'cargo',
      [
        'running 8 tests\ntest result: FAILED. 5 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s',
        'running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s',
        '   Doc-tests app\n\nrunning 0 tests\n',
        'test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n',
      ].join('\n'),
      { passed: 7, failed: 1, skipped: 2 },
    ],
    [
      'cargo-nextest',
      '     Summary [   0.003s] 4 tests run: 3 passed, 1 failed, 2 skipped',
      { passed: 3, failed: 1, skipped: 2 },
    ],
    [
      'vitest in the packages of a workspace',
      ' Test Files  1 passed (1)\n      Tests  5 passed (5)\npackages/b test:       Tests  1 failed | 2 passed (3)',
      { passed: 7, failed: 1, skipped: 0 },
    ],
    [
      'jest in the packages of a workspace',
      'Tests:       1 failed, 2 passed, 3 total\nRan all test suites.\nTests:       4 passed, 4 total',
      { passed: 6, failed: 1, skipped: 0 },
    ],
    [
      'node:test',
      '✔ adds (1ms)\nℹ tests 9\nℹ suites 1\nℹ pass 5\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 1\nℹ duration_ms 80',
      { passed: 5, failed: 2, skipped: 2 },
    ],
    [
      'go test -v',
      [
        '=== RUN   TestAdd\n=== RUN   TestAdd/small\n--- PASS: TestAdd (0.00s)\n    --- PASS: TestAdd/small (0.00s)',
        '=== RUN   TestLater\n--- SKIP: TestLater (0.00s)\nPASS\nok  \texample/a\t0.003s',
        '=== RUN   TestSub\n--- FAIL: TestSub (0.00s)\nFAIL\nFAIL\texample/b\t0.003s\nFAIL',
      ].join('\n'),
      { passed: 1, failed: 1, skipped: 1 },
    ],
    [
      'Maven',
      [
        '[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.05 s -- in a.AddTest',
        '[INFO] Results:\n[INFO] \n[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0',
        '[ERROR] Tests run: 5, Failures: 1, Errors: 1, Skipped: 1',
      ].join('\n'),
      { passed: 5, failed: 2, skipped: 1 },
    ],
    ['gradle', '5 tests completed, 1 failed, 1 skipped', { passed: 3, failed: 1, skipped: 1 }],
    ['rspec', '5 examples, 1 failure, 2 pending', { passed: 2, failed: 1, skipped: 2 }],
    [
      'unittest',
      'Ran 7 tests in 0.001s\n\nFAILED (failures=1, errors=1, skipped=2)',
      { passed: 3, failed: 2, skipped: 2 },
    ],
  ])('of %s give the counts', (_runner, text, counts) => {
    expect(summaryCounts(text)).toEqual(counts);
  });

  it('are found behind a line that is made to cost long, at no more than its length', () => {
    const line = (size: number) => `== ${'1 passed in 1 '.repeat(size)}`;
    expect(summaryCounts(`${line(100)}\n3 passed in 1s`)).toEqual({ passed: 3, failed: 0, skipped: 0 });
    const prepare = (size: number) => {
      const text = line(size);
      return () => summaryCounts(text);
    };
    expect(growth(prepare, [100, 800], 32)).toBeLessThan(32);
  });

  it('give none for Go without -v, which has a line for failures only', () => {
    expect(
      summaryCounts('--- FAIL: TestSub (0.00s)\nFAIL\nFAIL\texample/b\t0.003s\nok  \texample/a\t0.003s'),
    ).toBeNull();
  });

  it('give none for a text that only mentions tests', () => {
    expect(summaryCounts('the 5 failed tests were removed\ndone')).toBeNull();
  });
});

describe('a text that was made to keep its reader busy', () => {
  const MIB = 1024 * 1024;
  const repeated = (part: string, chars: number) => part.repeat(chars / part.length);

  it('as a JUnit report of megabytes is read at once', () => {
    for (const part of ['<!--', '<![CDATA[', '<testcase ', '<', '<failure', '<testcase name="']) {
      expect(junitCounts(repeated(part, 4 * MIB))).toBeNull();
    }
    expect(junitCounts(`${repeated('<!-- -->', MIB)}<testcase/>`)).toMatchObject({ passed: 1 });
  });

  it('as the end of an output is read at once', () => {
    const tail = 256 * 1024;
    const lines = [
      `Tests: 1 ${repeated('1', tail)}`,
      `= ${repeated('1 passed in 1 ', tail)}`,
      `Ran 1 test in 1s\nFAILED (${repeated('a', tail)})`,
      repeated('\u001b[', tail),
      `1..2\nok ${repeated('# ', tail)}`,
    ];
    for (const text of lines) for (const counts of [summaryCounts, tapCounts]) counts(text);
    expect(summaryCounts([...lines, 'Tests: 2 passed'].join('\n'))).toMatchObject({ passed: 2 });
  });
});
