import { describe, expect, it } from 'vitest';
import { MCP } from '../../../schema/defaults.ts';
import type { EarlierCall, NewCall } from '../../../schema/domain/mcp-call.ts';
import { nextPause, repeatedCall } from '../../../schema/domain/mcp-call.ts';

const NOW = 1_000_000;
const NEW: NewCall = { operation_id: null, request_id: '1', call_hash: 'a', now: NOW };

function earlier(more: Partial<EarlierCall> = {}): EarlierCall {
  const ended = { created_at: NOW - 10_000, ended_at: NOW - 5_000, status: null, stopped_at: null };
  return { request_id: '1', call_hash: 'a', ...ended, ...more };
}

describe('a call repeats an earlier one', () => {
  it('with the same JSON-RPC id for a minute', () => {
    expect(repeatedCall([earlier()], NEW)).not.toBeNull();
    expect(repeatedCall([earlier({ created_at: NOW - 59_999 })], NEW)).not.toBeNull();
    expect(repeatedCall([earlier({ created_at: NOW - 60_000 })], NEW)).toBeNull();
  });

  it('under another id while that one is in progress, and for two seconds after its end', () => {
    const other = { request_id: '2' };
    expect(repeatedCall([earlier({ ...other, ended_at: NOW - 1_999 })], NEW)).not.toBeNull();
    expect(repeatedCall([earlier({ ...other, ended_at: NOW - 2_000 })], NEW)).toBeNull();
    const open = { ...other, ended_at: null };
    expect(repeatedCall([earlier({ ...open, status: 'awaiting_approval' })], NEW)).not.toBeNull();
    expect(repeatedCall([earlier({ ...open, status: 'succeeded', stopped_at: NOW - 1_000 })], NEW)).not.toBeNull();
    expect(repeatedCall([earlier({ ...open, status: 'blocked', stopped_at: NOW - 3_000 })], NEW)).toBeNull();
  });

  it('under another id while no node has judged that one, for as long as a node may', () => {
    const unjudged = { request_id: '2', ended_at: null };
    expect(repeatedCall([earlier(unjudged)], NEW)).not.toBeNull();
    expect(repeatedCall([earlier({ ...unjudged, created_at: NOW - 60_000 })], NEW)).toBeNull();
  });

  it('with the same operation id, however old', () => {
    const named = { request_id: '9', created_at: 0, ended_at: 0 };
    expect(repeatedCall([earlier(named)], { ...NEW, operation_id: 'op' })).not.toBeNull();
  });
});

describe('a call is a first one', () => {
  it('when there is none with its operation id', () => {
    expect(repeatedCall([], { ...NEW, operation_id: 'op' })).toBeNull();
  });

  it('and refused when its operation id was used with another call', () => {
    const named = earlier({ call_hash: 'b' });
    expect(repeatedCall([named], { ...NEW, operation_id: 'op' })).toBe('conflict');
  });
});

describe('the pauses of a request that waits', () => {
  it('grow to a bound, and end when the wait does, within 30 s', () => {
    const pauses: number[] = [];
    let left: number = MCP.wait_ms;
    while (left > 0) {
      pauses.push(nextPause(pauses.at(-1) ?? null, left));
      left -= pauses.at(-1) ?? 0;
    }
    expect(left).toBe(0);
    expect(pauses.slice(0, 7)).toEqual([50, 100, 200, 400, 800, 1_200, 1_200]);
    expect(MCP.wait_ms).toBeLessThan(30_000);
  });
});
