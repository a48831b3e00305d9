import { describe, expect, it } from 'vitest';
import type { LogState } from '../../../schema/contracts/runs.ts';
import { NEW_LOG } from '../../../schema/contracts/runs.ts';
import { RUN } from '../../../schema/defaults.ts';
import type { LogChunk, StoredRow } from '../../../schema/domain/run-log.ts';
import { appendLog, trimFrom, trimLog } from '../../../schema/domain/run-log.ts';

const HEAD = RUN.log_head_bytes;
const TAIL = RUN.log_tail_bytes;

/** A log that takes chunks of stdout as the edge does, with its rows. */
function openLog() {
  let state: LogState = structuredClone(NEW_LOG);
  const rows = new Map<number, StoredRow>();
  const take = (chunk: Omit<LogChunk, 'stream'>) => {
    const last = state.logs.output.last;
    const newest = last === null ? null : new Uint8Array(last.bytes);
    const appended = appendLog(state, { output: newest, lifecycle: null }, [{ stream: 'stdout', ...chunk }]);
    if ('gap' in appended) return appended.gap;
    for (const { data, ...row } of appended.rows) rows.set(row.position, { ...row, bytes: data.length });
    state = appended.next;
    const from = trimFrom(state, 'output');
    if (from === null) return null;
    const found = [...rows.values()].filter(({ position }) => position >= from).sort((a, b) => a.position - b.position);
    const trimmed = trimLog(state, 'output', found);
    state = trimmed.next;
    for (const position of trimmed.drop) rows.delete(position);
    return null;
  };
  const write = (from: number, to: number, skips = false) => {
    for (let at = from; at < to; at += RUN.log_row_bytes) {
      const data = new Uint8Array(Math.min(RUN.log_row_bytes, to - at));
      const gap = take({ offset: at, data, skips: skips && at === from });
      if (gap !== null) throw new Error(`a gap at ${at}`);
    }
  };
  const kept = () => [...rows.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return { take, write, kept, rows, state: () => state.streams.stdout };
}

describe('a log whose node left out its middle', () => {
  it('counts what was left out as dropped, and keeps beginning and end', () => {
    const log = openLog();
    log.write(0, HEAD);
    log.write(100 * HEAD, 100 * HEAD + TAIL, true);
    expect(log.state()).toMatchObject({ bytes: 100 * HEAD + TAIL, dropped_bytes: 99 * HEAD });
    expect(log.kept()).toBe(HEAD + TAIL);
  });

  it('stays bounded when it skips again and again', () => {
    const log = openLog();
    log.write(0, HEAD);
    for (let n = 1; n <= 10; n++) log.write(n * 10 * HEAD, n * 10 * HEAD + TAIL, true);
    expect(log.kept()).toBeLessThanOrEqual(HEAD + TAIL + 2 * RUN.log_row_bytes);
    const { bytes, dropped_bytes } = log.state();
    expect(bytes - dropped_bytes).toBe(log.kept());
  });

  it('is a gap where the beginning is not whole yet', () => {
    const log = openLog();
    log.write(0, 10);
    expect(log.take({ offset: 20, data: new Uint8Array(5), skips: true })).toEqual({
      stream: 'stdout',
      offset: 20,
      expected: 10,
    });
  });

  it('is a gap without the mark of the node', () => {
    const log = openLog();
    log.write(0, HEAD);
    expect(log.take({ offset: HEAD + 1, data: new Uint8Array(5) })).toMatchObject({ expected: HEAD });
  });
});
