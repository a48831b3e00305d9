/**
 * When the person last used the keyboard in this page for something that is not sent. Keys up to the press that sent a
 * message count no more once that message is answered, so that a reply need not wait for keys whose text is long gone. A
 * key after that press counts as before.
 */
import { isSameText } from '../lib/same-text.ts';

export interface KeyboardDeps {
  document: Document;
  /** What the composer holds now. */
  composedText: () => string;
  /** Unix milliseconds. */
  now: () => number;
}

export interface Keyboard {
  /** Unix milliseconds; null: no key counts. */
  typedAt(): number | null;
  /** The page has sent this message, and its answer is final. */
  answered(text: string): void;
}

export function watchKeyboard({ document, composedText, now }: KeyboardDeps): Keyboard {
  let typedAt: number | null = null;
  /** The newest press that may have sent a text, and when it was. */
  let press: { text: string; at: number } | null = null;
  const notePress = () => {
    if (typedAt === null) return;
    const text = composedText();
    // A press beside an empty composer sends nothing.
    if (text !== '') press = { text, at: now() };
  };
  // Only the keys and clicks of a person: a script cannot make a trusted event.
  const onKey = (event: KeyboardEvent) => {
    if (!event.isTrusted) return;
    typedAt = now();
    if (event.key === 'Enter') notePress();
  };
  const onClick = (event: Event) => {
    if (event.isTrusted) notePress();
  };
  // In the capture phase, so that the composer still holds what the page is about to send.
  document.addEventListener('keydown', onKey, { capture: true, passive: true });
  document.addEventListener('click', onClick, { capture: true, passive: true });
  return {
    typedAt: () => typedAt,
    answered(text) {
      if (press === null || !isSameText(press.text, text)) return;
      if (typedAt !== null && typedAt <= press.at) typedAt = null;
      press = null;
    },
  };
}
