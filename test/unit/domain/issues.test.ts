import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkValue, fieldIssues, firstIssueText } from '../../../schema/contracts/issues.ts';
import { SettingsPutBodySchema } from '../../../schema/contracts/renewal-settings.ts';

const Schema = z.strictObject({
  name: z.string().min(1).max(5),
  count: z.number().int().min(2).max(9),
  on: z.boolean(),
  role: z.enum(['reader', 'writer']),
  items: z.array(z.string()).min(1).max(2),
  own: z.string().regex(/^a$/, 'only the letter a').optional(),
  kind: z.discriminatedUnion('type', [z.object({ type: z.literal('x') })]).optional(),
  map: z.record(z.string().max(2), z.number()).optional(),
});
const GOOD = { name: 'ab', count: 3, on: true, role: 'reader', items: ['a'] };

function words(change: Record<string, unknown>): string {
  const checked = checkValue(Schema, { ...GOOD, ...change });
  if (checked.success) throw new Error('it fits');
  return firstIssueText(checked.error, 'body');
}

describe('a value that does not fit its contract', () => {
  it.each([
    [{ name: undefined }, 'name: a text; it is missing'],
    [{ name: null }, 'name: a text; it is null'],
    [{ name: 7 }, 'name: a text; it is 7'],
    [{ name: {} }, 'name: a text; it is an object'],
    [{ name: '' }, 'name: a text that is not empty'],
    [{ name: 'abcdef' }, 'name: at most 5 characters'],
    [{ count: '3' }, 'count: a number; it is "3"'],
    [{ count: 2.5 }, 'count: a whole number; it is 2.5'],
    [{ count: 1 }, 'count: a number of at least 2'],
    [{ count: 10 }, 'count: a number of at most 9'],
    [{ on: 'yes' }, 'on: true or false; it is "yes"'],
    [{ role: 'king' }, 'role: one of reader, writer; it is "king"'],
    [{ role: 'x'.repeat(1_000) }, 'role: one of reader, writer; it is a long text'],
    [{ items: [] }, 'items: at least 1 items'],
    [{ items: ['a', 'b', 'c'] }, 'items: at most 2 items'],
    [{ items: ['a', 5] }, 'items.1: a text; it is 5'],
    [{ own: 'b' }, 'own: only the letter a'],
    [{ kind: { type: 'y' } }, 'kind.type: one of the kinds that are known; it is an object'],
    [{ map: { long: 1 } }, 'map.long: another name: at most 2 characters'],
    [{ extra: 1 }, 'extra: no field of this name is known here'],
  ])('is described by field, by what is allowed, and by what was given: %j', (change, text) => {
    expect(words(change)).toBe(text);
  });

  it('has as many issues as are asked for, however many there are', () => {
    const checked = checkValue(
      z.array(z.string()),
      Array.from({ length: 50_000 }, (_, n) => n),
    );
    if (checked.success) throw new Error('it fits');
    expect(fieldIssues(checked.error, 'body', 3)).toHaveLength(3);
  });
});

describe('the end of renewals', () => {
  it('is a time in milliseconds: one in seconds would be in 1970', () => {
    const put = (end_at: number | null) => checkValue(SettingsPutBodySchema, { settings: { end_at } });
    expect([put(Date.UTC(2030, 0)).success, put(null).success]).toEqual([true, true]);
    const seconds = put(Date.UTC(2030, 0) / 1_000);
    if (seconds.success) throw new Error('it fits');
    expect(firstIssueText(seconds.error, 'body')).toBe(
      'settings.end_at: a time in Unix milliseconds, not before 2020; is this one in seconds?',
    );
  });
});
