import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SseEvent } from '../../../../extension/lib/sse.ts';
import { SseReader } from '../../../../extension/lib/sse.ts';

const encoder = new TextEncoder();

function read(text: string | Uint8Array, sizes: readonly number[] = []): SseEvent[] {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text;
  const reader = new SseReader();
  const events: SseEvent[] = [];
  let at = 0;
  for (const size of sizes) {
    events.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...events, ...reader.push(bytes.subarray(at))];
}

describe('The reader of server-sent events', () => {
  it('reads name and data, with one space after the colon removed', () => {
    expect(read('event: delta\ndata:  {"a":1}\n\ndata:b\n\n')).toEqual([
      { name: 'delta', data: ' {"a":1}' },
      { name: '', data: 'b' },
    ]);
  });

  it('joins data lines by LF and ignores comments, ids and empty events', () => {
    expect(read(': ping\n\nevent: x\n\nid: 4\nretry: 10\ndata: one\ndata\ndata: two\n\n')).toEqual([
      { name: '', data: 'one\n\ntwo' },
    ]);
  });

  it('ends lines at LF, CR and CRLF, and skips a byte order mark at the beginning only', () => {
    expect(read('\uFEFFdata: a\r\n\r\ndata: b\r\rdata: \uFEFFc\n\n')).toEqual([
      { name: '', data: 'a' },
      { name: '', data: 'b' },
      { name: '', data: '\uFEFFc' },
    ]);
  });

  it('drops an event whose blank line has not come', () => {
    expect(read('data: whole\n\ndata: part\n')).toEqual([{ name: '', data: 'whole' }]);
  });

  it('gives the same events for any chunking', () => {
    const line = fc.constantFrom('data: é你😀', 'data:', 'event: delta', ': ping', '', '', 'data: {"v":"x"}');
    const end = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, end), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 80 }),
        (lines, sizes) => {
          const text = lines.flat().join('');
          expect(read(text, sizes)).toEqual(read(text));
        },
      ),
    );
  });

  it('returns the events before invalid UTF-8 and stops there, for any chunking', () => {
    const bytes = new Uint8Array([
      ...encoder.encode('data: a\n\ndata: '),
      0xc3,
      0x28,
      ...encoder.encode('\n\ndata: b\n\n'),
    ]);
    for (let size = 1; size <= bytes.length; size += 1) {
      const reader = new SseReader();
      const events: SseEvent[] = [];
      for (let at = 0; at < bytes.length; at += size) events.push(...reader.push(bytes.subarray(at, at + size)));
      expect(events).toEqual([{ name: '', data: 'a' }]);
      expect(reader.fault).toBe('not_utf8');
    }
  });

  it.each([
    ['a line without an end', 'data: '.padEnd(200, 'x')],
    ['a line that ends too late', `data: ${'x'.repeat(200)}\n\ndata: b\n\n`],
    ['many lines of one event', 'data: xxxx\n'.repeat(20)],
    ['many empty lines of data', 'data\n'.repeat(40)],
  ])('stops at %s over the bound, for any chunking', (_name, text) => {
    for (const size of [1, 7, 1000]) {
      const reader = new SseReader(100);
      const bytes = encoder.encode(`data: a\n\n${text}`);
      const events: SseEvent[] = [];
      for (let at = 0; at < bytes.length; at += size) events.push(...reader.push(bytes.subarray(at, at + size)));
      expect(events).toEqual([{ name: '', data: 'a' }]);
      expect(reader.fault).toBe('event_too_large');
    }
  });

  it('bounds one event, not the whole body', () => {
    const reader = new SseReader(100);
    expect(reader.push(encoder.encode('data: xxxx\n\n'.repeat(50)))).toHaveLength(50);
    expect(reader.fault).toBeNull();
  });
});
