/** What is wrong with a value that does not fit its contract, in the words of API, frames and command line. */
import type { z } from 'zod';

export interface FieldIssue {
  /** The field's path, joined by dots. */
  field: string;
  expected: string;
}

/** The issues of a failed parse, in order. `whole` names the value itself, for an issue of no field. */
export function fieldIssues({ issues }: z.core.$ZodError, whole: string): FieldIssue[] {
  return issues.map((issue) => {
    const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path;
    return { field: path.join('.') || whole, expected: issue.message };
  });
}

/** The first issue as a text: `field: what was expected`. */
export function firstIssueText(error: z.core.$ZodError, whole: string): string {
  const [first] = fieldIssues(error, whole);
  return `${first?.field ?? whole}: ${first?.expected ?? 'another value'}`;
}
