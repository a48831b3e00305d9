/** Answers as assistants write them, short enough for a fake page to draw without lagging behind the network. */
const PROSE =
  'The lease is renewed every five seconds; when two renewals in a row fail, the node claims nothing more. ';
const BLOCK = '```baa\n@conductor::files/read::{"path": "notes.md"}\n```';

/** About 1,000 characters with one block; `mark` is its end. */
export function answerOf(mark: string): string {
  return `${PROSE.repeat(9)}\n\n${BLOCK}\n\n${mark}`;
}
