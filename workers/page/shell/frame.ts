import type { Language } from '../texts/texts.ts';
import { LANGUAGE_TAGS } from '../texts/texts.ts';

/** Shows the frame of that language, which the document has (frame-html.ts), with the link of the panel as its heading. */
export function showFrame(language: Language, panel: string): void {
  const frame = document.querySelector<HTMLElement>(`.shell[lang="${LANGUAGE_TAGS[language]}"]`);
  if (frame === null) return;
  frame.hidden = false;
  const link = frame.querySelector(`nav a[href="${panel}"]`);
  link?.setAttribute('aria-current', 'page');
  const heading = frame.querySelector('h1');
  if (heading) heading.textContent = link?.textContent ?? '';
}
