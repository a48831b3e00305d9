/** What a person does with the status page in a real Firefox. */

import axe from 'axe-core';
import type { FirefoxTab } from './sites/firefox-tab.ts';
import { KEYS } from './sites/firefox-tab.ts';
import type { Firefox } from './sites/open-firefox.ts';

const DONE = /Confirmed by the edge, done by operator@/;
/** More than any page has stops. */
const MAX_TABS = 300;
/** Stops of the keyboard that are no controls. */
const SCROLLED = 10;

/** Waits until the text that the page shows matches; resolves with it. */
export async function shows(tab: FirefoxTab, pattern: RegExp): Promise<string> {
  const text = () => tab.evaluate(() => document.body.innerText);
  await tab
    .until((source) => new RegExp(source, 's').test(document.body.innerText), pattern.source)
    .catch(async (cause: unknown) => {
      throw new Error(`the page does not show ${pattern}, but: ${await text()}`, { cause });
    });
  return text();
}

/** Waits until the page says that the edge has confirmed an action of the operator. */
export function confirms(tab: FirefoxTab, what: RegExp): Promise<string> {
  return shows(tab, new RegExp(`${what.source}.*${DONE.source}`));
}

/**
 * Clicks the button or link of that name with the mouse, in an open dialog or else in the page; `near` is a text of the
 * row or card that it is in.
 */
export async function press(tab: FirefoxTab, name: string, near = ''): Promise<void> {
  await tab.until(
    (wanted, text) => {
      for (const marked of document.querySelectorAll('[data-test]')) marked.removeAttribute('data-test');
      const place = document.querySelector('dialog[open]') ?? document.body;
      const found = [...place.querySelectorAll<HTMLElement>('button, nav a, a')].find((one) => {
        const isNamed = (one.getAttribute('aria-label') ?? one.textContent)?.trim() === wanted;
        const around = one.closest<HTMLElement>('dialog, tr, li, section') ?? document.body;
        return isNamed && !one.matches(':disabled') && (place !== document.body || around.innerText.includes(text));
      });
      found?.setAttribute('data-test', '');
      found?.scrollIntoView({ block: 'center' });
      return found !== undefined;
    },
    name,
    near,
  );
  await tab.click('[data-test]');
}

/** Presses a button that asks first, and then the one that confirms. */
export async function pressAndConfirm(tab: FirefoxTab, name: string, near = ''): Promise<void> {
  await press(tab, name, near);
  await tab.until(() => document.querySelector('dialog[open]') !== null);
  await press(tab, name);
}

/** Clicks a field, once it can be used, wherever on the page it is. */
export async function clickOn(tab: FirefoxTab, selector: string): Promise<void> {
  await tab.until((wanted) => {
    const found = document.querySelector<HTMLInputElement>(wanted);
    found?.scrollIntoView({ block: 'center' });
    return found?.disabled === false;
  }, selector);
  await tab.click(selector);
}

/** Puts a text into a field in the place of what it has. */
export async function fillIn(tab: FirefoxTab, selector: string, text: string): Promise<void> {
  await clickOn(tab, selector);
  await tab.evaluate((wanted) => document.querySelector<HTMLInputElement>(wanted)?.select(), selector);
  await tab.type(text);
  // Drawn with the last key: what is pressed at once would miss a button that moves.
  await tab.until((wanted, value) => document.querySelector<HTMLInputElement>(wanted)?.value === value, selector, text);
  await tab.evaluate(() => new Promise<null>((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0, null))));
}

export async function buttonsOf(tab: FirefoxTab): Promise<string[]> {
  return tab.evaluate(() => [...document.querySelectorAll('button')].map((one) => one.textContent?.trim() ?? ''));
}

export async function navigationOf(tab: FirefoxTab): Promise<string[]> {
  return tab.evaluate(() =>
    [...document.querySelectorAll('nav:first-of-type a')].map((one) => one.textContent?.trim() ?? ''),
  );
}

/** Problems of the shown page that axe-core calls serious or critical. */
export async function seriousFindings(firefox: Firefox, tab: FirefoxTab): Promise<string[]> {
  await firefox.bidi.evaluate(tab.context, axe.source);
  return tab.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  });
}

/** Opens all that the page has folded. */
export async function unfold(tab: FirefoxTab): Promise<void> {
  await tab.evaluate(() => {
    for (const one of document.querySelectorAll('main details')) one.setAttribute('open', '');
  });
}

/** What the keyboard does not reach, of all that can be used on the page. Begins where the keyboard is: on a new page at its top. */
export async function unreachedByTab(tab: FirefoxTab): Promise<string[]> {
  const count = await tab.evaluate(() => {
    const kinds = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const usable = [...document.querySelectorAll<HTMLElement>(kinds)].filter(
      (one) => !one.matches(':disabled') && one.checkVisibility(),
    );
    for (const one of usable) one.dataset.tab = 'no';
    addEventListener('focusin', ({ target }) => {
      if (target instanceof HTMLElement && target.dataset.tab !== undefined && target.matches(':focus-visible'))
        target.dataset.tab = 'yes';
    });
    (document.activeElement as HTMLElement | null)?.blur();
    return usable.length;
  });
  const unreached = () =>
    tab.evaluate(() => [...document.querySelectorAll('[data-tab="no"]')].map((one) => one.outerHTML.slice(0, 120)));
  await tab.type(KEYS.tab.repeat(count));
  // Firefox also stops at what scrolls. Behind the last stop the keyboard would leave the page.
  for (let n = 0; n < SCROLLED && (await unreached()).length > 0; n += 1) await tab.type(KEYS.tab);
  return unreached();
}

/** Goes by Tab alone to what has that name, label or id. */
export async function reach(tab: FirefoxTab, name: string): Promise<void> {
  for (let n = 0; n < MAX_TABS; n += 1) {
    const isThere = await tab.evaluate((wanted) => {
      const one = document.activeElement as HTMLInputElement | null;
      const labels = [...(one?.labels ?? [])].map((label) => label.firstChild?.textContent);
      const names = [one?.getAttribute('aria-label') ?? one?.textContent, one?.id, ...labels];
      return names.some((text) => text?.trim() === wanted);
    }, name);
    if (isThere) return;
    await tab.type(KEYS.tab);
  }
  throw new Error(`the keyboard does not come to ${name}`);
}

/** Presses a button by the keyboard alone. */
export async function pressByKey(tab: FirefoxTab, name: string): Promise<void> {
  await tab.until(
    (wanted) =>
      [...document.querySelectorAll('button')].some((one) => one.textContent?.trim() === wanted && !one.disabled),
    name,
  );
  await reach(tab, name);
  await tab.type(KEYS.enter);
}

/** By the keyboard alone, a button that asks first, and then the one that confirms. */
export async function pressAndConfirmByKey(tab: FirefoxTab, name: string): Promise<void> {
  await pressByKey(tab, name);
  await tab.until(() => document.activeElement?.closest('dialog[open]') != null);
  await reach(tab, name);
  await tab.type(KEYS.enter);
}
