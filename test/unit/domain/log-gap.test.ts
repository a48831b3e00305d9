import { describe, expect, it } from 'vitest';
import { gapLine, LogPosition } from '../../../schema/domain/log-gap.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function positionAfter(parts: readonly Uint8Array[], offset = 0): number {
  const position = new LogPosition(offset);
  for (const part of parts) position.read(part);
  return position.value;
}

describe('the position in a log', () => {
  it('counts bytes, not characters, from where it began', () => {
    expect(positionAfter([bytes('zwölf\n')], 100)).toBe(107);
  });

  it('counts what a line about missing bytes names, and not the line, however its text is cut', () => {
    const text = bytes(`ab\n${gapLine(2_000_000)}cd\n${gapLine(7)}\n[ef`);
    const expected = 3 + 2_000_000 + 3 + 7 + 4;
    expect(positionAfter([text])).toBe(expected);
    expect(positionAfter(Array.from(text, (byte) => Uint8Array.of(byte)))).toBe(expected);
    for (let cut = 0; cut <= text.length; cut++) {
      expect(positionAfter([text.subarray(0, cut), text.subarray(cut)])).toBe(expected);
    }
  });

  it('counts a line that only looks like one', () => {
    const text = '\n[12 bytes are not kept]\n[ bytes\n';
    expect(positionAfter([bytes(text)])).toBe(text.length);
  });
});
