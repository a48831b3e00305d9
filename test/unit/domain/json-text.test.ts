import { describe, expect, it } from 'vitest';
import { JSON_TEXT } from '../../../schema/defaults.ts';
import { bodyProblem } from '../../../schema/domain/media.ts';
import { readJson } from '../../../schema/json-text.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('JSON from outside', () => {
  it.each([
    ['null', null],
    ['{"a":[1,-2.5,"x",true]}', { a: [1, -2.5, 'x', true] }],
    [`"${'x'.repeat(100_000)}"`, 'x'.repeat(100_000)],
    ['{"constructor":1}', { constructor: 1 }],
    ['{"a":1,"a":2}', { a: 2 }],
  ])('is read as JSON.parse reads it: %.40s', (text, value) => {
    expect(readJson(text)).toEqual({ ok: true, value });
  });

  it.each(['', '{', 'NaN', '{a:1}', '[1,]', "'x'", 'undefined', '\u001f\u008b\u0008'])(
    'is refused when it is no JSON: %j',
    (text) => {
      expect(readJson(text)).toEqual({ ok: false, field: '', expected: 'JSON' });
    },
  );

  it('may nest as deep as the limit, and no level deeper', () => {
    expect(readJson(nested(JSON_TEXT.max_depth))).toMatchObject({ ok: true });
    expect(readJson(nested(JSON_TEXT.max_depth + 1))).toMatchObject({
      ok: false,
      expected: 'at most 64 levels of objects and lists',
    });
  });

  it('is refused without a stack overflow when it nests 500,000 levels deep', () => {
    expect(readJson(nested(500_000))).toMatchObject({ ok: false });
    expect(readJson(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)).toMatchObject({ ok: false });
  });

  it('names the field that nests too deep', () => {
    expect(readJson(`{"metadata":{"x":${nested(80)}}}`)).toMatchObject({
      field: expect.stringMatching(/^metadata\.x\.0\.0/),
    });
  });

  it('has a limited number of values', () => {
    const list = (length: number) => `[${Array.from({ length }, () => '0').join()}]`;
    expect(readJson(list(JSON_TEXT.max_values - 1))).toMatchObject({ ok: true });
    expect(readJson(list(JSON_TEXT.max_values))).toMatchObject({ ok: false, expected: 'at most 250000 values in all' });
  });

  it('has no number that JSON could not return', () => {
    expect(readJson('{"a":[1e999]}')).toEqual({ ok: false, field: 'a.0', expected: 'a number of at most 1.8e308' });
  });

  it('has no field __proto__, which JavaScript would drop', () => {
    expect(readJson('{"a":{"__proto__":1}}')).toMatchObject({ ok: false, field: 'a.__proto__' });
  });

  it('has half a surrogate pair replaced in texts and names, as UTF-8 would', () => {
    expect(readJson('{"\\ud800":["\\udc00x"],"ok":"\\ud83d\\ude00"}')).toEqual({
      ok: true,
      value: { '\ufffd': ['\ufffdx'], ok: '😀' },
    });
  });
});

describe('the headers of a body', () => {
  it.each([
    undefined,
    'application/json',
    'application/json; charset=utf-8',
    'text/plain;charset=UTF8',
    'application/json; charset="utf-8"',
  ])('may have the content type %s', (contentType) => {
    expect(bodyProblem({ contentType, contentEncoding: undefined })).toBeNull();
  });

  it('may say that the body is not compressed', () => {
    expect(bodyProblem({ contentType: undefined, contentEncoding: 'identity' })).toBeNull();
  });

  it('are refused for a compressed body and for another charset, with the name of the header', () => {
    expect(bodyProblem({ contentType: 'application/json', contentEncoding: 'gzip' })).toMatchObject({
      field: 'content-encoding',
    });
    expect(bodyProblem({ contentType: 'application/json; charset=utf-16', contentEncoding: undefined })).toMatchObject({
      field: 'content-type',
    });
  });
});
