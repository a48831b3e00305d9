import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogState, RunStream } from '../../../schema/contracts/runs.ts';
import { NEW_LOG } from '../../../schema/contracts/runs.ts';
import { RUN } from '../../../schema/defaults.ts';
import type { LogChunk, LogRowDraft } from '../../../schema/domain/run-log.ts';
import { appendLog, trimFrom, trimLog } from '../../../schema/domain/run-log.ts';

/** A log as the edge stores it: the decisions above a map of rows. */
class StoredLog {
  state: LogState = NEW_LOG;
  readonly rows = new Map<number, LogRowDraft>();

  append(...chunks: LogChunk[]) {
    const { last } = this.state.logs.output;
    const output = last === null ? null : (this.rows.get(last.position)?.data ?? null);
    const appended = appendLog(this.state, { output, lifecycle: null }, chunks);
    if ('gap' in appended) return appended.gap;
    for (const row of appended.rows) this.rows.set(row.position, row);
    this.state = appended.next;
    const from = trimFrom(this.state, 'output');
    if (from !== null) this.#trim(from);
    return null;
  }

  #trim(from: number) {
    const found = [];
    for (const { data, ...row } of this.rows.values()) {
      if (row.position >= from) found.push({ ...row, bytes: data.length });
      if (found.length === 200) break;
    }
    const { next, drop } = trimLog(this.state, 'output', found);
    for (const position of drop) this.rows.delete(position);
    this.state = next;
  }

  /** In the order of their positions, which only grow. */
  sorted() {
    return [...this.rows.values()];
  }

  text(stream: RunStream): string {
    return this.sorted()
      .filter((row) => row.stream === stream)
      .map((row) => new TextDecoder().decode(row.data))
      .join('');
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const chunk = (stream: RunStream, offset: number, text: string): LogChunk => ({ stream, offset, data: bytes(text) });
const block = (letter: string, size: number) => new Uint8Array(size).fill(letter.charCodeAt(0));

describe('the log of a run', () => {
  it('keeps streams in the order in which they arrived, and adds small pieces to the newest row', () => {
    const log = new StoredLog();
    log.append(chunk('stdout', 0, 'a\n'));
    log.append(chunk('stdout', 2, 'b\n'), chunk('stderr', 0, 'e\n'), chunk('stdout', 4, 'c\n'));
    expect(log.sorted().map(({ stream, start, data }) => [stream, start, new TextDecoder().decode(data)])).toEqual([
      ['stdout', 0, 'a\nb\n'],
      ['stderr', 0, 'e\n'],
      ['stdout', 4, 'c\n'],
    ]);
  });

  it('passes over bytes that it has, whole chunks and their beginnings', () => {
    const log = new StoredLog();
    log.append(chunk('stdout', 0, 'hello'));
    log.append(chunk('stdout', 0, 'hello'), chunk('stdout', 3, 'lo world'));
    expect(log.text('stdout')).toBe('hello world');
  });

  it('refuses a chunk that leaves a gap, and names where the stream continues', () => {
    const log = new StoredLog();
    log.append(chunk('stdout', 0, 'hello'));
    expect(log.append(chunk('stdout', 6, 'x'))).toEqual({ stream: 'stdout', offset: 6, expected: 5 });
    expect(log.text('stdout')).toBe('hello');
  });

  it('keeps lifecycle events apart from the output', () => {
    const appended = appendLog(NEW_LOG, { output: null, lifecycle: null }, [
      chunk('lifecycle', 0, 'run_prepared\n'),
      chunk('stdout', 0, 'a\n'),
    ]);
    expect(appended).toMatchObject({ next: { logs: { output: { position: 2 }, lifecycle: { position: 13 } } } });
    expect('rows' in appended && appended.rows.map(({ stream, position }) => [stream, position])).toEqual([
      ['stdout', 0],
      ['lifecycle', 0],
    ]);
  });

  it('keeps the first and the last bytes of a long stream, in a bounded number of rows', () => {
    const log = new StoredLog();
    const size = RUN.log_row_bytes;
    const total = 400;
    for (let at = 0; at < total; at += 1) {
      log.append({
        stream: 'stdout',
        offset: at * size,
        data: block(at < 16 ? 'h' : at < total - 16 ? 'm' : 't', size),
      });
      log.append({ stream: 'stderr', offset: at, data: block('e', 1) });
    }
    const text = log.text('stdout');
    expect(text.slice(0, RUN.log_head_bytes)).toBe('h'.repeat(RUN.log_head_bytes));
    expect(text.endsWith('t'.repeat(RUN.log_tail_bytes))).toBe(true);
    expect(text.length).toBeLessThanOrEqual(RUN.log_head_bytes + RUN.log_tail_bytes + 2 * size);
    expect(log.state.streams.stdout.dropped_bytes).toBe(total * size - text.length);
    expect(log.text('stderr')).toBe('e'.repeat(total));
  });

  it('bounds the rows of two streams that alternate in small pieces', () => {
    const log = new StoredLog();
    const pieces = 4 * RUN.log_part_rows;
    for (let at = 0; at < pieces; at += 1) {
      log.append(
        { stream: 'stdout', offset: at, data: block('o', 1) },
        { stream: 'stderr', offset: at, data: block('e', 1) },
      );
    }
    expect(log.rows.size).toBeLessThanOrEqual(2 * (2 * RUN.log_part_rows + 1));
    expect(log.text('stdout')).toHaveLength(2 * RUN.log_part_rows);
  });

  it('stores every byte once, however it is cut into chunks and repeated', () => {
    const piece = fc.record({
      stream: fc.constantFrom('stdout', 'stderr'),
      size: fc.integer({ min: 1, max: 90_000 }),
      back: fc.nat(50_000),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const log = new StoredLog();
        const sent = { stdout: 0, stderr: 0 };
        const letter = (at: number) => String.fromCharCode(97 + (at % 23));
        for (const { stream, size, back } of pieces as { stream: 'stdout' | 'stderr'; size: number; back: number }[]) {
          const offset = Math.max(0, sent[stream] - back);
          const end = sent[stream] + size;
          const text = Array.from({ length: end - offset }, (_, at) => letter(offset + at)).join('');
          log.append(chunk(stream, offset, text));
          sent[stream] = end;
        }
        for (const stream of ['stdout', 'stderr'] as const) {
          const text = log.text(stream);
          expect(log.state.streams[stream].bytes).toBe(sent[stream]);
          if (sent[stream] <= RUN.log_head_bytes) {
            expect(text).toBe(Array.from({ length: sent[stream] }, (_, at) => letter(at)).join(''));
          }
        }
      }),
      { numRuns: 20 },
    );
  });
});
