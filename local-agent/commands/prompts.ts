/** Questions to a person at a terminal. They are written to standard error, so that standard output has results only. */

import { makeVisibleLine } from '../../schema/domain/visible.ts';

/** Why a value cannot be taken, in words; null when it can. */
export type ProblemOf = (value: string) => string | null;

export interface Prompts {
  /** A line of text; an empty one means the default. */
  text: (question: string, byDefault: string, problemOf: ProblemOf) => Promise<string>;
  /** A text that is not shown. */
  secret: (question: string, problemOf: ProblemOf) => Promise<string>;
  choose: (question: string, choices: readonly string[], byDefault: string) => Promise<string>;
  /** Whether the person says yes; no is the default. */
  confirm: (question: string) => Promise<boolean>;
}

/** The person has left a question by Ctrl-C or Escape. */
export class CanceledError extends Error {
  override readonly name = 'CanceledError';
}

/** Loaded with the first question only: most commands ask none. */
const clack = () => import('@clack/prompts');
const OUTPUT = { output: process.stderr };

async function answered<T>(ask: (prompts: Awaited<ReturnType<typeof clack>>) => Promise<T | symbol>): Promise<T> {
  const answer = await ask(await clack());
  if (typeof answer === 'symbol') throw new CanceledError('canceled: nothing was changed');
  return answer;
}

export const terminalPrompts: Prompts = {
  text: (question, defaultValue, problemOf) =>
    answered<string>(({ text }) =>
      text({
        ...OUTPUT,
        message: makeVisibleLine(question),
        defaultValue,
        placeholder: defaultValue,
        validate: (value) => problemOf(value || defaultValue) ?? undefined,
      }),
    ),
  secret: (question, problemOf) =>
    answered<string>(({ password }) =>
      password({
        ...OUTPUT,
        message: makeVisibleLine(question),
        validate: (value) => problemOf(value ?? '') ?? undefined,
      }),
    ),
  choose: (question, choices, initialValue) =>
    answered<string>(({ select }) =>
      select({
        ...OUTPUT,
        message: makeVisibleLine(question),
        initialValue,
        options: choices.map((value) => ({ value })),
      }),
    ),
  confirm: (question) =>
    answered<boolean>(({ confirm }) => confirm({ ...OUTPUT, message: makeVisibleLine(question), initialValue: false })),
};
