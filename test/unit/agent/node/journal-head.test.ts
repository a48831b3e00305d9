import { describe, expect, it } from 'vitest';
import { keepJournalHead } from '../../../../local-agent/node/journal-head.ts';

const hash = (digit: string) => digit.repeat(64);

function keeper(text: string | null = null) {
  const files = new Map<string, string>(text === null ? [] : [['/state/head', text]]);
  const logged: unknown[][] = [];
  const log = {
    warn: (...entry: unknown[]) => void logged.push(entry),
    error: (...entry: unknown[]) => void logged.push(entry),
  };
  const note = keepJournalHead({
    edge: 'http://edge',
    nodeId: 'node-1',
    path: '/state/head',
    readFile: (path) => files.get(path) ?? null,
    writeFile: (path, written) => void files.set(path, written),
    log,
  });
  const kept = () => JSON.parse(files.get('/state/head') ?? 'null');
  return { note, kept, logged };
}

describe("the head of a node's journal", () => {
  it('is kept as the highest that the edge has named, in any order of the responses', () => {
    const { note, kept } = keeper();
    for (const [seq, digit] of [
      [2, 'b'],
      [4, 'd'],
      [3, 'c'],
    ] as const)
      note({ seq, hash: hash(digit) });
    expect(kept()).toEqual({ 'http://edge': { 'node-1': { seq: 4, hash: hash('d') } } });
  });

  it('is logged as an error when the edge names another block for a place', () => {
    const { note, kept, logged } = keeper();
    note({ seq: 2, hash: hash('a') });
    note({ seq: 2, hash: hash('f') });
    expect(logged).toEqual([[{ block: 2, was: hash('a'), is: hash('f') }, expect.stringContaining('journal verify')]]);
    expect(kept()).toMatchObject({ 'http://edge': { 'node-1': { hash: hash('a') } } });
  });

  it('is not written over a file that cannot be read, which is logged', () => {
    const { note, logged } = keeper('{broken');
    note({ seq: 1, hash: hash('a') });
    expect(logged).toEqual([[expect.anything(), expect.stringContaining('could not be kept')]]);
  });
});
