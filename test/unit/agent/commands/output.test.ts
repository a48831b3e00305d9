import { describe, expect, it } from 'vitest';
import { printFields, printTable, printText, styled, withSafeOutput } from '../../../../local-agent/commands/output.ts';
import { printSnapshot } from '../../../../local-agent/commands/print-snapshot.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const HOSTILE = 'a title\u001b]0;owned\u0007\u001b[2J\u202e';

describe('text from pages and chats on a terminal', () => {
  it('an escape sequence in a table is made visible', () => {
    const { deps, out } = commandWorld(() => null);
    printTable(deps, ['title'], [[HOSTILE]], 'none');
    expect(out.join('\n')).toContain('a title\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{202e}');
  });

  it('an escape sequence in a field is made visible', () => {
    const { deps, out } = commandWorld(() => null);
    printFields(deps, { title: HOSTILE });
    expect(out).toEqual(['title  a title\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{202e}']);
  });

  it('a line break or a tab in a cell forges no row and no column', () => {
    const { deps, out } = commandWorld(() => null);
    printTable(deps, ['id', 'title'], [['1', 'a\n2\tb']], 'none');
    expect(out).toEqual(['id  title', '1   a\\u{a}2\\u{9}b']);
  });

  it('a line break in a field forges no field', () => {
    const { deps, out } = commandWorld(() => null);
    printFields(deps, { title: 'a\nstatus  fine' });
    expect(out).toEqual(['title  a\\u{a}status  fine']);
  });

  it('each line of a text is indented below its name', () => {
    const { deps, out } = commandWorld(() => null);
    printText(deps, 'text', `a\nstatus  fine\r${HOSTILE}`);
    expect(out.slice(0, 2)).toEqual(['text', '  a']);
    expect(out[2]).toMatch(/^ {2}status {2}fine\\u\{d\}a title\\u\{1b\}/);
    expect(out).toHaveLength(3);
  });

  it('only our own styles reach the terminal, also on a line that holds foreign text', () => {
    const { deps: given, out, err } = commandWorld(() => null, { isTerminal: true });
    const deps = withSafeOutput(given);
    const foreign = 'x\u001b[1m\u001b[32my\u001b[22m\u001b[1;1m';
    const shown = 'x\\u{1b}[1m\\u{1b}[32my\\u{1b}[22m\\u{1b}[1;1m';
    deps.print(`${styled(deps, 'bold', 'head')} ${foreign}`);
    deps.warn(`${styled(deps, 'yellow', 'warning')}: ${foreign}`);
    printText(deps, 'text', foreign);
    expect(out).toEqual([`\u001b[1mhead\u001b[22m ${shown}`, '\u001b[2mtext\u001b[22m', `  ${shown}`]);
    expect(err).toEqual([`\u001b[33mwarning\u001b[39m: ${shown}`]);
  });

  it('a styled head is as wide as its text', () => {
    const { deps: given, out } = commandWorld(() => null, { isTerminal: true });
    printTable(withSafeOutput(given), ['id', 'title'], [['1', 'a']], 'none');
    expect(out).toEqual(['\u001b[1mid\u001b[22m  \u001b[1mtitle\u001b[22m', '1   a']);
  });
});

describe('a snapshot', () => {
  it('has no braces: values by their path, lists in a line, and lists of objects as tables', () => {
    const { deps, out } = commandWorld(() => null);
    printSnapshot(deps, {
      lease: { state: 'leader', term: 3 },
      warnings: [],
      left_out: ['/a', '/b'],
      checklist: [
        { key: 'edge', note: null },
        { key: 'store', of: { at: 'x' } },
      ],
    });
    expect(out).toEqual([
      'lease.state  leader',
      'lease.term   3',
      'warnings     -',
      'left_out     /a, /b',
      '',
      'checklist',
      'KEY    NOTE  OF.AT',
      'edge   -     -',
      'store  -     x',
    ]);
  });
});
