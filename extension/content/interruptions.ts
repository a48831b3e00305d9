/** What a person does in a page while an answer is being written: any press of theirs may stop it. */

export interface Interruptions {
  /** When that was last, Unix milliseconds; null: never. */
  at(): number | null;
}

export function watchInterruptions(document: Document, isAnswering: () => boolean, now: () => number): Interruptions {
  let at: number | null = null;
  const pressed = (event: Event) => {
    // A script of the page can make no trusted event, and a person no other.
    if (event.isTrusted && isAnswering()) at = now();
  };
  for (const name of ['pointerdown', 'click', 'keydown']) {
    document.addEventListener(name, pressed, { capture: true, passive: true });
  }
  return { at: () => at };
}
