/** Answers as assistants write them, short enough for a fake page to draw without lagging behind the network. */
const PROSE =
  'The lease is renewed every five seconds; when two renewals in a row fail, the node claims nothing more. ';
const BLOCK = '```baa\n@conductor::files/read::{"path": "notes.md"}\n```';

/**
 * The time between two parts of an answer. Live sites write some hundred characters a second, and their pages keep up; at
 * this pace a fake page, which draws its whole conversation at each change, keeps up too.
 */
export const PART_MS = 50;

/** About 1,000 characters; `mark` is its end. */
export function answerOf(mark: string, { hasBlock = true } = {}): string {
  return hasBlock ? `${PROSE.repeat(9)}\n\n${BLOCK}\n\n${mark}` : `${PROSE.repeat(10)}\n\n${mark}`;
}
