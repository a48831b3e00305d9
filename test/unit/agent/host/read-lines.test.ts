import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dayFiles, findRunFolder, rolledFiles } from '../../../../local-agent/host/log-files.ts';
import { readLines } from '../../../../local-agent/host/read-lines.ts';
import { tempDir } from '../../../support/temp-dir.ts';

/** A log whose files a test writes; `steps` run one after the other whenever the reader waits, and then the reading ends. */
function logIn(folder: string) {
  const files = () => rolledFiles(folder, 'agent');
  const write = (number: number, text: string) => appendFileSync(join(folder, `agent.${number}.log`), text);
  const read = async (lines: number, steps: readonly (() => void)[] | null = null) => {
    const left = [...(steps ?? [])];
    const wait = async () => {
      const step = left.shift();
      step?.();
      return step !== undefined;
    };
    const found: string[] = [];
    for await (const line of readLines({ files, lines, wait: steps === null ? null : wait })) found.push(line);
    return found;
  };
  return { write, read };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}`);
const text = (from: number, to: number) => `${numbers(from, to).join('\n')}\n`;

describe('the last lines of a log', () => {
  it('come from as many of its files as they need, in the order in which they were written', async () => {
    const { write, read } = logIn(tempDir());
    write(2, text(1, 3));
    write(10, text(4, 6));
    write(11, text(7, 8));
    expect(await read(4)).toEqual(numbers(5, 8));
    expect(await read(5)).toEqual(numbers(4, 8));
    expect(await read(100)).toEqual(numbers(1, 8));
    expect(await read(0)).toEqual([]);
  });

  it('are found where lines cross the blocks that are read', async () => {
    const { write, read } = logIn(tempDir());
    const long = Array.from({ length: 300 }, (_, at) => `${at} ${'ü'.repeat(997)}`);
    write(1, `${long.join('\n')}\n`);
    expect(await read(200)).toEqual(long.slice(100));
  });

  it('include a line that is not ended yet', async () => {
    const { write, read } = logIn(tempDir());
    write(1, 'line 1\nline 2');
    expect(await read(1)).toEqual(['line 2']);
  });

  it('are none of a log that has no file', async () => {
    expect(await logIn(tempDir()).read(10)).toEqual([]);
  });
});

describe('a log that is followed', () => {
  it('continues with what is added, a line at a time', async () => {
    const { write, read } = logIn(tempDir());
    write(1, text(1, 2));
    const steps = [() => write(1, 'line 3\nli'), () => write(1, 'ne 4\n')];
    expect(await read(1, steps)).toEqual(numbers(2, 4));
  });

  it('continues in the next file when it rolls, without a lost line', async () => {
    const { write, read } = logIn(tempDir());
    write(1, text(1, 2));
    const roll = () => {
      write(1, text(3, 3));
      write(2, text(4, 5));
      write(3, text(6, 6));
    };
    expect(await read(0, [roll, () => write(3, text(7, 7))])).toEqual(numbers(3, 7));
  });

  it('begins with its first file when there was none', async () => {
    const { write, read } = logIn(tempDir());
    expect(await read(10, [() => undefined, () => write(1, text(1, 2))])).toEqual(numbers(1, 2));
  });

  it('begins again when its file was emptied in place', async () => {
    const folder = tempDir();
    const { write, read } = logIn(folder);
    write(1, text(1, 100));
    const empty = () => {
      truncateSync(join(folder, 'agent.1.log'));
      write(1, text(101, 102));
    };
    expect(await read(1, [empty])).toEqual([...numbers(100, 102)]);
  });

  it('continues when an old file is removed while it is read', async () => {
    const folder = tempDir();
    const { write, read } = logIn(folder);
    write(1, text(1, 1));
    const remove = () => {
      write(2, text(2, 2));
      renameSync(join(folder, 'agent.1.log'), join(folder, 'gone'));
    };
    expect(await read(1, [remove, () => undefined])).toEqual(numbers(1, 2));
  });
});

describe('the files of a log', () => {
  it('are in the order of their numbers, or days, and no others', () => {
    const folder = tempDir();
    const names = [
      'agent.10.log',
      'agent.9.log',
      'edge.1.log',
      'agent.log',
      '2026-02-01.jsonl',
      '2026-01-31.jsonl',
      'x.jsonl',
    ];
    for (const name of names) writeFileSync(join(folder, name), '');
    expect(rolledFiles(folder, 'agent')).toEqual([join(folder, 'agent.9.log'), join(folder, 'agent.10.log')]);
    expect(dayFiles(folder)).toEqual([join(folder, '2026-01-31.jsonl'), join(folder, '2026-02-01.jsonl')]);
    expect([rolledFiles(join(folder, 'none'), 'agent'), findRunFolder(join(folder, 'none'), 'run_1')]).toEqual([
      [],
      null,
    ]);
  });
});
