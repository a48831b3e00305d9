import { describe, expect, it } from 'vitest';
import { nextSlice, waited } from '../../../../local-agent/runs/tail-plan.ts';
import { RUN, RUN_FILES } from '../../../../schema/defaults.ts';

const { chunk_bytes: CHUNK, flush_ms: FLUSH } = RUN_FILES;
const KEPT = RUN.log_head_bytes;
const START = { offset: 0, waitingSince: null };
const growing = (bytes: number) => ({ bytes, isComplete: false });
const complete = (bytes: number) => ({ bytes, isComplete: true });

/** Sends a log that grows by the given sizes, and returns the slices. */
function sendAll(sizes: readonly number[]) {
  const slices = [];
  let position: { offset: number; waitingSince: number | null } = START;
  for (const [n, bytes] of sizes.entries()) {
    const log = { bytes, isComplete: n === sizes.length - 1 };
    for (let slice = nextSlice(position, log, 0); slice !== null; slice = nextSlice(position, log, 0)) {
      slices.push(slice);
      position = { offset: slice.to, waitingSince: null };
    }
  }
  return slices;
}

describe('the next chunk of a log', () => {
  it('waits until it is full', () => {
    expect(nextSlice(START, growing(CHUNK - 1), 0)).toBeNull();
    expect(nextSlice(START, growing(CHUNK), 0)).toEqual({ from: 0, to: CHUNK });
  });

  it('is sent when its first byte has waited long enough', () => {
    const position = waited(START, growing(10), 1_000);
    expect(nextSlice(position, growing(12), 1_000 + FLUSH - 1)).toBeNull();
    expect(nextSlice(position, growing(12), 1_000 + FLUSH)).toEqual({ from: 0, to: 12 });
  });

  it.each([
    [29_999, 250],
    [30_000, 2_000],
    [600_000, 5_000],
  ])('of a run that is %d ms old waits for %d ms', (ageMs, flushMs) => {
    const position = waited(START, growing(10), 0);
    expect(nextSlice(position, growing(12), flushMs - 1, ageMs)).toBeNull();
    expect(nextSlice(position, growing(12), flushMs, ageMs)).toEqual({ from: 0, to: 12 });
    expect(nextSlice(position, growing(CHUNK), 1, ageMs)).toEqual({ from: 0, to: CHUNK });
  });

  it('is what is left when nothing is written any more', () => {
    expect(nextSlice({ offset: 5, waitingSince: null }, complete(7), 0)).toEqual({ from: 5, to: 7 });
    expect(nextSlice({ offset: 7, waitingSince: null }, complete(7), 0)).toBeNull();
  });

  it('begins where the last one ended: nothing is lost or doubled in a log that the edge keeps whole', () => {
    const slices = sendAll([10, CHUNK + 7, 3 * CHUNK, 20 * CHUNK + 1, 2 * KEPT]);
    expect(slices[0]?.from).toBe(0);
    for (const [n, slice] of slices.slice(1).entries()) expect(slice.from).toBe(slices[n]?.to);
    expect(slices.at(-1)?.to).toBe(2 * KEPT);
  });

  it('skips to the end that the edge keeps when a log has grown far ahead', () => {
    const slices = sendAll([1_000 * KEPT]);
    const sent = slices.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(sent).toBe(2 * KEPT);
    expect(slices.at(-1)?.to).toBe(1_000 * KEPT);
    expect(slices.filter(({ from }, n) => n > 0 && from !== slices[n - 1]?.to)).toHaveLength(1);
  });
});
