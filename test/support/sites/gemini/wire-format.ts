/**
 * Bodies in the form in which Gemini writes them: `)]}'`, then a length and a line of JSON in turns. Positions without a
 * value are null. It shares nothing with the decoder.
 */

export interface DraftAnswer {
  id: string;
  text: string;
  /** 1 while it is being written, 2 when it is complete. */
  state: 1 | 2 | null;
  thoughts?: string;
  cardText?: string;
}

/** An array with values at some positions and null at the others before the last one. */
export function sparse(values: Readonly<Record<number, unknown>>): unknown[] {
  const last = Math.max(-1, ...Object.keys(values).map(Number));
  return Array.from({ length: last + 1 }, (_, index) => values[index] ?? null);
}

function candidate({ id, text, state, thoughts, cardText }: DraftAnswer): unknown[] {
  return sparse({
    0: id,
    1: [text],
    ...(state !== null && { 8: [state] }),
    ...(cardText !== undefined && { 22: [cardText] }),
    ...(thoughts !== undefined && { 37: [[thoughts]] }),
  });
}

/** The ids of a turn: `c_…` and `r_…`. */
export interface TurnIds {
  conversation: string;
  turn: string;
}

/** What one line says of the answer. `context`: the token that comes once the answer is saved. */
export function answerPart(
  { conversation, turn }: TurnIds,
  drafts: readonly DraftAnswer[],
  context?: string,
): unknown[] {
  const inner = sparse({
    1: [conversation, turn],
    ...(drafts.length > 0 && { 4: drafts.map(candidate) }),
    ...(context !== undefined && { 25: context }),
  });
  return ['wrb.fr', null, JSON.stringify(inner)];
}

export function errorPart(code: number): unknown[] {
  const error = ['type.googleapis.com/assistant.boq.bard.application.BardErrorInfo', [code]];
  return ['wrb.fr', null, null, null, null, [9, null, [error]]];
}

export function rejectedPart(rpc: string | null = null): unknown[] {
  return ['wrb.fr', rpc, null, null, null, [7]];
}

/** The lines that end a response. */
export const TRAILER: readonly unknown[][][] = [
  [
    ['di', 5321],
    ['af.httprm', 5320, '-1234567890', 4],
  ],
  [['e', 4, null, null, 382]],
];

/** A line with its length: UTF-16 units with both line ends. */
export function line(parts: readonly unknown[]): string {
  const json = JSON.stringify(parts);
  return `${json.length + 2}\n${json}\n`;
}

export const PREFIX = ")]}'\n\n";

export function body(lines: readonly (readonly unknown[])[]): string {
  return PREFIX + lines.map(line).join('');
}

export interface StoredTurn extends TurnIds {
  question: string;
  answers: readonly DraftAnswer[];
}

/** The response to a reading: turns newest first. */
export function readingPart(turns: readonly StoredTurn[]): unknown[] {
  const stored = turns.map(({ conversation, turn, question, answers }, index) => [
    [conversation, turn],
    null,
    [[question], 1, null, 0],
    [answers.map(candidate)],
    [1_795_600_000 - index, 12],
  ]);
  return ['wrb.fr', 'hNvQHb', JSON.stringify([stored, null, null, []]), null, null, null, 'generic'];
}
