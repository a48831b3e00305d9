/** What is wrong with a value that does not fit its contract, in the words of API, frames, tools and command line. */
import type { z } from 'zod';

export interface FieldIssue {
  /** The field's path, joined by dots. */
  field: string;
  expected: string;
}

const MAX_FIELD_CHARS = 200;
const MAX_GIVEN_CHARS = 40;

/** Parses with a contract; what does not fit is said in plain words, unless the contract has words of its own. */
export function checkValue<S extends z.ZodType>(schema: S, value: unknown): z.ZodSafeParseResult<z.output<S>> {
  return schema.safeParse(value, { error: (issue) => plainWords(issue) });
}

/** The first `max` issues of a failed parse. `whole` names the value itself, for an issue of no field. */
export function fieldIssues({ issues }: z.core.$ZodError, whole: string, max: number): FieldIssue[] {
  return issues.slice(0, max).map((issue) => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path;
    return { field: path.join('.').slice(0, MAX_FIELD_CHARS) || whole, expected: issue.message };
  });
}

/** The first issue as a text: `field: what was expected`. */
export function firstIssueText(error: z.core.$ZodError, whole: string): string {
  const [first] = fieldIssues(error, whole, 1);
  return `${first?.field ?? whole}: ${first?.expected ?? 'another value'}`;
}

/** What is allowed, and what was given. */
export function plainWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `${typeName(issue.expected)}; it ${givenWords(issue.input)}`;
    case 'too_big':
      return sizeWords(issue.origin, 'at most', Number(issue.maximum), issue.inclusive === false);
    case 'too_small':
      return sizeWords(issue.origin, 'at least', Number(issue.minimum), issue.inclusive === false);
    case 'invalid_value':
      return `${issue.values.length === 1 ? 'exactly' : 'one of'} ${issue.values.join(', ')}; it ${givenWords(issue.input)}`;
    case 'unrecognized_keys':
      return 'no field of this name is known here';
    case 'invalid_union':
      return issue.discriminator === undefined
        ? `another value; it ${givenWords(issue.input)}`
        : `one of the kinds that are known; it ${givenWords(issue.input)}`;
    case 'invalid_key':
      return `another name: ${issue.issues[0]?.message ?? 'this one is not allowed'}`;
    case 'invalid_format':
      return `a text of the form ${issue.format === 'regex' ? String(issue.pattern) : issue.format}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    default:
      return 'another value';
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function typeName(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

/** What the value is; a short text is shown. */
function givenWords(value: unknown): string {
  if (value === undefined) return 'is missing';
  if (value === null) return 'is null';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'string')
    return value.length <= MAX_GIVEN_CHARS ? `is ${JSON.stringify(value)}` : 'is a long text';
  if (typeof value === 'number') return `is ${value}`;
  return `is ${value === true || value === false ? value : typeName(typeof value)}`;
}

function sizeWords(origin: string, bound: 'at most' | 'at least', limit: number, isExclusive: boolean): string {
  if (origin === 'string')
    return bound === 'at least' && limit === 1 ? 'a text that is not empty' : `${bound} ${limit} characters`;
  if (origin === 'array' || origin === 'set') return `${bound} ${limit} items`;
  const comparison = bound === 'at most' ? 'less than' : 'more than';
  return isExclusive ? `a number ${comparison} ${limit}` : `a number of ${bound} ${limit}`;
}
