import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactor } from '../../../../local-agent/lib/redact.ts';
import { LiveText } from '../../../../local-agent/tools/live-text.ts';

const SECRET = 'sesame-123';

describe('the text of live output', () => {
  it('text is shown at once, except an end that may be the start of a secret', () => {
    const redact = redactor(null, { env: { BAA_SECRET: SECRET }, readFile: () => null });
    const shown: string[] = [];
    const text = new LiveText(redact, (part) => shown.push(part));
    for (const chunk of ['done\n', 'a ses', 'ame', '-123!', 'sesa', 'lt']) text.take(Buffer.from(chunk));
    expect(shown).toEqual(['done\n', 'a ', '[redacted]!', 'sesalt']);
  });

  it('no part of a secret is shown, in any division into chunks', () => {
    const env = { BAA_SECRET_A: SECRET, BAA_SECRET_B: 'me-123 plain' };
    const redact = redactor(null, { env, readFile: () => null });
    const piece = fc.oneof(
      fc.constantFrom(SECRET, SECRET.slice(0, 6), SECRET.slice(6), '\n', 'é', 'plain '),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (pieces, sizes) => {
        const bytes = Buffer.from(pieces.join('').toWellFormed());
        let shown = '';
        const text = new LiveText(redact, (part) => {
          shown += part;
        });
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const size = sizes[n % sizes.length] ?? 1;
          text.take(bytes.subarray(at, at + size));
          at += size;
        }
        expect(redact(bytes.toString()).startsWith(shown)).toBe(true);
        expect(shown).not.toContain(SECRET);
      }),
    );
  });
});
