import { describe, expect, it } from 'vitest';
import { parseJsonParams } from '../../../../local-agent/instructions/json-params.ts';

describe('a number in the params', () => {
  it.each(['9007199254740993', '-9007199254740993', '12345678901234567890', '1e999', '-1E400'])(
    'is refused, with its field, when it would not be kept: %s',
    (written) => {
      const refused = parseJsonParams(`{"path":"a","nested":{"offset":${written}}}`);
      expect(refused).toMatchObject({ ok: false, code: 'inexact_number', is_end_certain: true });
      expect(!refused.ok && refused.message).toContain('offset: the number ');
    },
  );

  it('is kept in a string of any size', () => {
    expect(parseJsonParams('{"id":"9007199254740993"}')).toEqual({ ok: true, value: { id: '9007199254740993' } });
  });

  it('is kept up to the largest exact integer, and as a fraction', () => {
    const text = '{"a":9007199254740991,"b":-9007199254740991,"c":0.1234567890123456789,"d":1e3}';
    expect(parseJsonParams(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });
});
