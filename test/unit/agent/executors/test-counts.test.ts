import { describe, expect, it } from 'vitest';
import { junitCounts } from '../../../../local-agent/executors/counts/junit.ts';
import { lastLineCounts } from '../../../../local-agent/executors/counts/last-lines.ts';
import { tapCounts } from '../../../../local-agent/executors/counts/tap.ts';
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

describe('the last lines of a test runner', () => {
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
      'test result: FAILED. 5 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out',
      { passed: 5, failed: 1, skipped: 2 },
    ],
    ['rspec', '5 examples, 1 failure, 2 pending', { passed: 2, failed: 1, skipped: 2 }],
    [
      'unittest',
      'Ran 7 tests in 0.001s\n\nFAILED (failures=1, errors=1, skipped=2)',
      { passed: 3, failed: 2, skipped: 2 },
    ],
  ])('of %s give the counts', (_runner, text, counts) => {
    expect(lastLineCounts(text)).toEqual(counts);
  });

  it('are found behind a line that is made to cost long, at no more than its length', () => {
    const line = (size: number) => `== ${'1 passed in 1 '.repeat(size)}`;
    expect(lastLineCounts(`${line(100)}\n3 passed in 1s`)).toEqual({ passed: 3, failed: 0, skipped: 0 });
    const prepare = (size: number) => {
      const text = line(size);
      return () => lastLineCounts(text);
    };
    expect(growth(prepare, [100, 800], 32)).toBeLessThan(32);
  });

  it('give none for a text that only mentions tests', () => {
    expect(lastLineCounts('the 5 failed tests were removed\ndone')).toBeNull();
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
    for (const text of lines) for (const counts of [lastLineCounts, tapCounts]) counts(text);
    expect(lastLineCounts([...lines, 'Tests: 2 passed'].join('\n'))).toMatchObject({ passed: 2 });
  });
});
