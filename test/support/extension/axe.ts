/** What axe finds in a page of a Firefox under test, also inside the closed shadow root of the overlay. */
import axe from 'axe-core';
import type { FirefoxTab } from '../sites/firefox-tab.ts';

/**
 * The findings that keep a person from using it, each with its rule and its elements; `host` selects the element of a
 * closed shadow root, of which alone they are then.
 */
export async function axeFindings(tab: FirefoxTab, host: string | null = null): Promise<string[]> {
  await tab.runSource(axe.source);
  if (host === null) return await tab.evaluate(run, null);
  return await tab.inShadow(host, run);
}

/** Runs in the page, and so uses nothing from around it. */
async function run(root: ShadowRoot | null): Promise<string[]> {
  const { axe: inPage } = globalThis as unknown as { axe: typeof axe };
  const scope = root?.host ?? document;
  // Axe enters open shadow roots only, as a page does.
  if (root !== null) Object.defineProperty(root.host, 'shadowRoot', { value: root, configurable: true });
  try {
    const { passes, violations } = await inPage.run(scope, { preload: false, iframes: false });
    // Axe cannot determine the contrast of what is in the top layer; the other pages have the same colours.
    const needed = root === null ? 'color-contrast' : 'button-name';
    if (passes.every(({ id }) => id !== needed)) return [`axe has checked nothing: no ${needed}`];
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`));
  } finally {
    if (root !== null) Reflect.deleteProperty(root.host, 'shadowRoot');
  }
}
