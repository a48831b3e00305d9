/** Finds elements by ordered selectors, leaving out decoys: hidden elements and the old pages that the app shell keeps. */
import { findFirst } from '../../find.ts';
import type { Found } from '../../page.ts';

/** The app shell keeps pages that were left, hidden, in the document. */
const ACTIVE_PAGE = '[data-app-shell-active-page="true"]';
const LEFT_PAGE = '[data-app-shell-active-page]:not([data-app-shell-active-page="true"])';
const HIDDEN = '[hidden], [inert], [aria-hidden="true"]';

type Selectors = readonly string[];

/** The part of the document that shows the conversation. */
export function activePage(document: Document): ParentNode {
  return document.querySelector(ACTIVE_PAGE) ?? document;
}

export function isShown(element: Element): boolean {
  if (element.closest(LEFT_PAGE) || element.closest(HIDDEN)) return false;
  // Not every document can compute styles; then the attributes decide.
  return !('checkVisibility' in element) || element.checkVisibility();
}

/** The first element that is shown, by the most trusted selector that has one. */
export function findShown(
  scope: ParentNode,
  selectors: Selectors,
  accepts: (element: HTMLElement) => boolean = () => true,
): Found | null {
  return findFirst(scope, selectors, (element) => isShown(element) && accepts(element));
}

/** The elements of the first selector that matches any, shown or not. */
export function findAll(scope: ParentNode, selectors: Selectors): HTMLElement[] {
  for (const selector of selectors) {
    const elements = [...scope.querySelectorAll<HTMLElement>(selector)];
    if (elements.length > 0) return elements;
  }
  return [];
}

/** The first element, shown or not. */
export function first(scope: ParentNode, selectors: Selectors): HTMLElement | null {
  return findAll(scope, selectors)[0] ?? null;
}

/** The element itself or the nearest one around it. */
export function around(element: Element, [selector = '']: Selectors): HTMLElement | null {
  return element.closest<HTMLElement>(selector);
}
