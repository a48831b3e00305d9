/** What a person does with the status page in a real Firefox. */

import axe from 'axe-core';
import type { FirefoxTab } from './sites/firefox-tab.ts';
import type { Firefox } from './sites/open-firefox.ts';

/** Waits until the text that the page shows matches; resolves with it. */
export async function shows(tab: FirefoxTab, pattern: RegExp): Promise<string> {
  await tab.until((source) => new RegExp(source, 's').test(document.body.innerText), pattern.source);
  return tab.evaluate(() => document.body.innerText);
}

/** Clicks the button or link of that name with the mouse, in an open dialog or else in the page. */
export async function press(tab: FirefoxTab, name: string): Promise<void> {
  await tab.until((wanted) => {
    for (const marked of document.querySelectorAll('[data-test]')) marked.removeAttribute('data-test');
    const place = document.querySelector('dialog[open]') ?? document.body;
    const found = [...place.querySelectorAll<HTMLElement>('button, nav a, a')].find(
      (one) => (one.getAttribute('aria-label') ?? one.textContent)?.trim() === wanted && !one.matches(':disabled'),
    );
    found?.setAttribute('data-test', '');
    found?.scrollIntoView({ block: 'center' });
    return found !== undefined;
  }, name);
  await tab.click('[data-test]');
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
