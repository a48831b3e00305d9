/** Where things are in Gemini's arrays, which have no keys. Positions were seen on the live site in October 2026. */

export type Path = readonly number[];

/** A request that sends: `[prompt, language, ids, …]`, 80 to 100 slots. */
export const SEND = {
  /** `[null, "<the array as JSON>"]` in the form. */
  inner: [1],
  text: [0, 0],
  conversation: [2, 0],
  /** The turn that it follows: the newest one, but for an edit or a regeneration. */
  follows: [2, 1],
  isTemporary: [45],
} as const satisfies Record<string, Path>;

/** One part of a line of a response: `["wrb.fr", <rpc or null>, "<JSON>", …]`. */
export const PART = {
  kind: [0],
  rpc: [1],
  inner: [2],
  /** A number for a request that is refused as a whole. */
  status: [5, 0],
  errorCode: [5, 2, 0, 1, 0],
} as const satisfies Record<string, Path>;

/** Kinds of parts. Others mean nothing here. */
export const DATA_PART = 'wrb.fr';
export const TRAILER_PART = 'e';

/** What a data part of a send says. */
export const ANSWER = {
  conversation: [1, 0],
  turn: [1, 1],
  candidates: [4],
} as const satisfies Record<string, Path>;

/** One of the answers of a turn. Its thoughts are at `[37, 0, 0]`: they are never looked at. */
export const CANDIDATE = {
  id: [0],
  /** All of the text until now. */
  text: [1, 0],
  state: [8, 0],
  /** The text when the other one is only the link of a card. */
  cardText: [22, 0],
} as const satisfies Record<string, Path>;

export const RUNNING = 1;
export const COMPLETE = 2;

/** A conversation: `[turns, …]`, newest turn first. */
export const TURNS: Path = [0];
export const TURN = {
  conversation: [0, 0],
  turn: [0, 1],
  userText: [2, 0, 0],
  candidates: [3, 0],
} as const satisfies Record<string, Path>;

/** What is at that place; undefined when there is no such place. */
export function pick(value: unknown, path: Path): unknown {
  let here = value;
  for (const index of path) {
    if (!Array.isArray(here)) return undefined;
    here = (here as readonly unknown[])[index];
  }
  return here;
}

export function pickText(value: unknown, path: Path): string | null {
  const here = pick(value, path);
  return typeof here === 'string' ? here : null;
}

export function pickNumber(value: unknown, path: Path): number | null {
  const here = pick(value, path);
  return typeof here === 'number' ? here : null;
}

export function pickList(value: unknown, path: Path): readonly unknown[] {
  const here = pick(value, path);
  return Array.isArray(here) ? here : [];
}

/** The value of a JSON text; undefined when it is none. */
export function parsedJson(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
