/** What a person does with the status page in a real Firefox. */

import axe from 'axe-core';
import type { FirefoxTab } from './sites/firefox-tab.ts';
import { KEYS } from './sites/firefox-tab.ts';
import type { Firefox } from './sites/open-firefox.ts';

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

/** What the keyboard does not reach, of all that can be used on the page; Tab is pressed once for each, and back to the first. */
export async function unreachedByTab(tab: FirefoxTab): Promise<string[]> {
  const count = await tab.evaluate(() => {
    const all = [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, [tabindex="0"]')];
    const usable = all.filter((one) => !one.matches(':disabled') && one.checkVisibility());
    for (const one of usable) one.dataset.tab = 'no';
    addEventListener('focusin', ({ target }) => {
      if (target instanceof HTMLElement && target.dataset.tab !== undefined && target.matches(':focus-visible'))
        target.dataset.tab = 'yes';
    });
    (document.activeElement as HTMLElement | null)?.blur();
    return usable.length;
  });
  for (let n = 0; n < count + 2; n += 1) await tab.type(KEYS.tab);
  return tab.evaluate(() =>
    [...document.querySelectorAll('[data-tab="no"]')].map((one) => one.outerHTML.slice(0, 120)),
  );
}
