import { describe, expect, it } from 'vitest';
import { cutToWidth, fitWidths } from '../../../../local-agent/commands/fit-table.ts';
import { moment, printProse, printTable } from '../../../../local-agent/commands/output.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const ID = 'ins_01m8cfdxyyy7z5fqcft4b35v9r';
const LONG = 'a title that is much longer than the terminal is wide, so it has to give way';

/** The lines of a table in a terminal of that width, without colours; null: in a pipe. */
function lines(columns: number | null, head: string[], ...rows: string[][]): string[] {
  const terminal = { isTerminal: columns !== null, columns: () => columns, env: { NO_COLOR: '1' } };
  const { deps, out } = commandWorld(() => null, terminal);
  printTable(deps, head, rows, 'none');
  return out;
}

describe('a table on a terminal', () => {
  it('it is no wider than the terminal: the longest column gives way, and says so', () => {
    const shown = lines(60, ['ID', 'STATUS', 'TITLE'], [ID, 'running', LONG]);
    expect(shown.map((line) => line.length)).toEqual([expect.any(Number), 60]);
    expect(shown[1]).toBe(`${ID}  running  ${LONG.slice(0, 18)}…`);
  });

  it('where the columns do not fit, each row is a block, no wider than the terminal and with nothing left out', () => {
    const shown = lines(40, ['ID', 'STATUS', 'TITLE', 'NODE', 'CREATED'], [ID, 'running', LONG, 'mini', 'now'], ['2']);
    expect(shown).toEqual([
      `ID       ${ID}`,
      'STATUS   running',
      'TITLE    a title that is much longer',
      '         than the terminal is wide, so',
      '         it has to give way',
      'NODE     mini',
      'CREATED  now',
      '',
      'ID       2',
      'STATUS',
      'TITLE',
      'NODE',
      'CREATED',
    ]);
  });

  it('columns without a value are left out before anything is cut', () => {
    const shown = lines(46, ['ID', 'REPO', 'STATUS', 'NODE'], [ID, '-', 'running', '-'], [ID, '-', 'done', 'm']);
    expect(shown).toEqual([`${'ID'.padEnd(ID.length)}  STATUS   NODE`, `${ID}  running  -`, `${ID}  done     m`]);
  });

  it('ids stay whole, however narrow the terminal is, and have a line of their own', () => {
    const shown = lines(34, ['TASK', 'RUN', 'TITLE'], ['x'.repeat(40), ID, 'short']);
    expect(shown).toEqual([`TASK   ${'x'.repeat(27)}`, `       ${'x'.repeat(13)}`, 'RUN', `  ${ID}`, 'TITLE  short']);
  });

  it('a word that is longer than the line is broken between characters as they are shown', () => {
    const shown = lines(20, ['NUMBER', 'TITLE', 'CREATED'], ['1', '把聊天标签变成可靠的🎉再来', 'now']);
    expect(shown.slice(1, 4)).toEqual(['TITLE    把聊天标签', '         变成可靠的', '         🎉再来']);
  });

  it('a table that fits is left as it is', () => {
    expect(lines(60, ['ID', 'TITLE'], ['1', 'short'])).toEqual(['ID  TITLE', '1   short']);
  });

  it('columns of about the same length share what is missing', () => {
    const [, row = ''] = lines(30, ['N', 'ONE', 'TWO'], ['1', 'a'.repeat(40), 'b'.repeat(42)]);
    const [, one = '', two = ''] = row.split(/ {2}/);
    expect(Math.abs(one.length - two.length)).toBeLessThanOrEqual(1);
    expect(row.length).toBe(30);
  });

  it('Chinese text and emoji are measured as they are shown, and no character is cut in two', () => {
    const title = '把聊天标签变成可靠的🎉再来一次';
    const [, row = ''] = lines(30, ['N', 'TITLE', 'NODE'], ['1', title, 'mini']);
    expect(row).toBe('1  把聊天标签变成可靠的…  mini');
    const [, wider = ''] = lines(31, ['N', 'TITLE', 'NODE'], ['1', title, 'mini']);
    expect(wider).toBe(row);
    expect(lines(33, ['N', 'TITLE', 'NODE'], ['1', title, 'mini'])[1]).toBe('1  把聊天标签变成可靠的🎉…  mini');
  });

  it('of a very long cell no more is measured than can be shown', () => {
    const measured: number[] = [];
    const widthOf = (text: string) => {
      measured.push(text.length);
      return text.length;
    };
    const long = 'x'.repeat(1_000_000);
    const [, width = 0] = fitWidths(['N', 'TITLE'], [['1', long]], 80, widthOf) ?? [];
    expect(cutToWidth(long, width, widthOf)).toBe(`${'x'.repeat(76)}…`);
    expect(Math.max(...measured)).toBeLessThan(1_000);
  });
});

describe('a table in a pipe', () => {
  it('nothing is cut', () => {
    expect(lines(null, ['ID', 'TITLE'], [ID, LONG])[1]).toBe(`${ID}  ${LONG}`);
  });
});

describe('sentences', () => {
  const prose = (columns: number | null, text: string, label?: string): string[] => {
    const world = commandWorld(() => null, { isTerminal: columns !== null, columns: () => columns });
    printProse(world.deps, text, label);
    return world.out;
  };

  it('on a terminal they are in lines of its width, below each other, and a path stays whole', () => {
    expect(prose(20, 'the file /srv/baa/state/operator.token is readable by others', '  ! error: ')).toEqual([
      '  ! error: the file',
      '           /srv/baa/state/operator.token',
      '           is',
      '           readable',
      '           by others',
    ]);
  });

  it('in a pipe they are one line', () => {
    expect(prose(null, 'a b c '.repeat(20), '  why  ')).toEqual([`  why  ${'a b c '.repeat(20)}`]);
  });
});

describe('a time for people', () => {
  const AT = Date.UTC(2026, 10, 26, 22, 30);
  it.each([
    [0, '2026-11-26 22:30:00 UTC'],
    [60, '2026-11-26 23:30:00 +01:00'],
    [-210, '2026-11-26 19:00:00 -03:30'],
    [345, '2026-11-27 04:15:00 +05:45'],
  ])('with the offset of %s minutes it is %s', (offset, text) => {
    expect(moment(AT, offset)).toBe(text);
  });

  it('a time that is not known is a dash', () => {
    expect(moment(null)).toBe('-');
  });
});
