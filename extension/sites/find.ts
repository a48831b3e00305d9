/** Finds elements by ordered lists of selectors, most trusted first, and says which of them matched. */
import type { Found } from './page.ts';

/** The first element that the most trusted matching selector finds and `accepts` takes. */
export function findFirst(
  root: ParentNode,
  selectors: readonly string[],
  accepts: (element: HTMLElement) => boolean = () => true,
): Found | null {
  for (const [rank, selector] of selectors.entries()) {
    for (const element of root.querySelectorAll<HTMLElement>(selector)) {
      if (accepts(element)) return { element, selector, rank };
    }
  }
  return null;
}

/** Whether a button can be pressed now. */
export function isEnabled(button: HTMLElement): boolean {
  return !button.hasAttribute('disabled') && button.getAttribute('aria-disabled') !== 'true';
}
