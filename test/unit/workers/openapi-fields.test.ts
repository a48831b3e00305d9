import { describe, expect, it } from 'vitest';
import type { JsonSchema } from '../../../workers/http/examples.ts';
import { FIELD_TEXTS, fieldsOf } from '../../../workers/http/field-texts/describe.ts';
import { openApiDocument } from '../../../workers/http/openapi.ts';
import { ROUTES } from '../../../workers/routes.ts';

const document = openApiDocument(ROUTES.map(({ spec }) => spec));
const fields = fieldsOf((document.components?.schemas ?? {}) as Record<string, JsonSchema>);

describe('the fields of the named schemas', () => {
  it('have a description each', () => {
    expect(fields.length).toBeGreaterThan(1_000);
    expect(fields.filter(({ schema }) => schema.description === undefined).map(({ place }) => place)).toEqual([]);
  });

  it('are described by sentences', () => {
    const isSentence = (text = '') => /^["`A-Z0-9].*\.$/s.test(text);
    expect(fields.filter(({ schema }) => !isSentence(schema.description)).map(({ place }) => place)).toEqual([]);
  });

  it('use every text that is kept for them', () => {
    const used = new Set(
      fields.flatMap(({ place, name, schema }) =>
        [place, name].filter((key) => Object.hasOwn(FIELD_TEXTS, key) && FIELD_TEXTS[key] === schema.description),
      ),
    );
    expect(Object.keys(FIELD_TEXTS).filter((key) => !used.has(key))).toEqual([]);
  });
});
