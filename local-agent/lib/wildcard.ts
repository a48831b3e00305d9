/**
 * Matching with wildcards in bounded time. A pattern is compiled to steps, and all ways to match are followed at once: the
 * work is at most the length of the text times the number of steps. Backtracking matchers and regular expressions need
 * exponential time for some patterns, and the patterns come from chats and from ignore files.
 */

export type Accepts = (char: number) => boolean;

export type Step =
  /** Exactly this character. */
  | { kind: 'char'; char: number }
  /** One character that fits. */
  | { kind: 'one'; accepts: Accepts }
  /** Any number of characters that fit, also none. */
  | { kind: 'many'; accepts: Accepts }
  /** Continues at each of these later steps. */
  | { kind: 'branch'; to: number[] };

export const SLASH = 0x2f;
export const anyChar: Accepts = () => true;
export const withinName: Accepts = (char) => char !== SLASH;

/** The state after a text: which steps can come next. */
type Reached = Uint8Array;

/** Marks what the marked steps reach without a character. Every such move leads forward, so one pass is enough. */
function reachForward(step: Step, at: number, reached: Reached): void {
  if (step.kind === 'many') reached[at + 1] = 1;
  else if (step.kind === 'branch') for (const target of step.to) reached[target] = 1;
}

/** Marks in `next` where step number `at` leads with a character. */
function advance(step: Step, at: number, char: number, next: Reached): void {
  if (step.kind === 'char') {
    if (step.char === char) next[at + 1] = 1;
  } else if (step.kind === 'one') {
    if (step.accepts(char)) next[at + 1] = 1;
  } else if (step.kind === 'many') {
    if (step.accepts(char)) next[at] = 1;
  }
}

/** The state after the whole text; null as soon as nothing can match any more. */
function run(steps: readonly Step[], text: string): Reached | null {
  let now = new Uint8Array(steps.length + 1);
  let next = new Uint8Array(steps.length + 1);
  now[0] = 1;
  for (let i = 0; i < text.length; i++) {
    const char = text.codePointAt(i) ?? 0;
    if (char > 0xffff) i += 1;
    next.fill(0);
    for (let at = 0; at < steps.length; at++) {
      const step = steps[at];
      if (now[at] === 0 || step === undefined) continue;
      reachForward(step, at, now);
      advance(step, at, char, next);
    }
    if (!next.includes(1)) return null;
    [now, next] = [next, now];
  }
  for (const [at, step] of steps.entries()) if (now[at] === 1) reachForward(step, at, now);
  return now;
}

/** Whether the steps match the whole text. */
export function matchesAll(steps: readonly Step[], text: string): boolean {
  return run(steps, text)?.[steps.length] === 1;
}

/** Whether the steps match some text that starts with this one and is longer. */
export function canStartWith(steps: readonly Step[], text: string): boolean {
  return run(steps, text)?.subarray(0, steps.length).includes(1) ?? false;
}

/** The characters of a text as steps. */
export function literally(text: string): Step[] {
  return Array.from(text, (char) => ({ kind: 'char', char: char.codePointAt(0) ?? 0 }));
}

/** Steps for nothing or whole folders: anything that ends with a slash. `at` is the number of the first of them. */
export function anyFolders(at: number): Step[] {
  return [
    { kind: 'branch', to: [at + 1, at + 3] },
    { kind: 'many', accepts: anyChar },
    { kind: 'char', char: SLASH },
  ];
}
