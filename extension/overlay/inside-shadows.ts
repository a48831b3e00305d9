/** Finds elements also inside shadow roots, in which a page can keep what `querySelectorAll` does not find. */

/** Firefox shows closed shadow roots to the scripts of extensions. */
type WithShadow = Element & { openOrClosedShadowRoot?: ShadowRoot | null };

function shadowOf(element: WithShadow): ShadowRoot | null {
  return element.openOrClosedShadowRoot ?? element.shadowRoot;
}

/** The elements that match, in the document and in every shadow root in it. */
export function insideShadows(
  document: Document,
  selector: string,
  rootOf: (element: Element) => ShadowRoot | null = shadowOf,
): Element[] {
  const found: Element[] = [];
  const roots: (Document | ShadowRoot)[] = [document];
  for (const root of roots) {
    found.push(...root.querySelectorAll(selector));
    for (const element of root.querySelectorAll('*')) {
      const inner = rootOf(element);
      if (inner !== null) roots.push(inner);
    }
  }
  return found;
}
