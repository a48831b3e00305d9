/**
 * Scripts that run in a chat page itself, without the extension: what a person does, at once, and the wait for the page.
 * Nothing is polled, so that a wait takes no time from what is measured.
 */
import type { FirefoxTab } from '../../support/sites/firefox-tab.ts';
import type { Staged } from './stage.ts';

declare global {
  interface Window {
    /** Of `noteShown`, in the document of the page. */
    benchShownAt: Promise<number>;
  }
}

/** Types a line into the composer and presses send, as soon as there is one: the floor of a delivery. */
export async function typeAndClick(tab: FirefoxTab, { chat }: Staged, text: string): Promise<void> {
  await tab.evaluate(
    async (composer, button, line) => {
      const found = <T>(look: () => T | null | false): Promise<T> =>
        new Promise((resolve) => {
          const check = () => {
            const value = look();
            if (value === null || value === false) return false;
            observer.disconnect();
            resolve(value);
            return true;
          };
          const observer = new MutationObserver(check);
          if (!check()) observer.observe(document, { subtree: true, childList: true, attributes: true });
        });
      const editor = await found(() => document.querySelector<HTMLElement>(composer));
      editor.focus();
      document.execCommand('insertText', false, line);
      const isEnabled = (one: HTMLButtonElement | null) => one !== null && !one.disabled && one;
      (await found(() => isEnabled(document.querySelector<HTMLButtonElement>(button)))).click();
    },
    chat.composer,
    chat.sendButton,
    text,
  );
}

/** Resolves when the page shows a text and writes no answer. */
export async function shown(tab: FirefoxTab, { stopButton }: Staged, text: string): Promise<void> {
  await tab.evaluate(
    (stop, wanted) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (document.querySelector(stop) !== null || !document.body.textContent?.includes(wanted)) return;
          observer.disconnect();
          resolve();
        };
        const observer = new MutationObserver(check);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
        check();
      }),
    stopButton,
    text,
  );
}

/** Has the page note when it first shows a text and writes no answer. */
export async function noteShown(tab: FirefoxTab, { stopButton }: Staged, text: string): Promise<void> {
  await tab.evaluate(
    (stop, wanted) => {
      window.benchShownAt = new Promise((resolve) => {
        const check = () => {
          if (document.querySelector(stop) !== null || !document.body.textContent?.includes(wanted)) return;
          observer.disconnect();
          resolve(Date.now());
        };
        const observer = new MutationObserver(check);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      });
    },
    stopButton,
    text,
  );
}

/** When that was, Unix milliseconds; waits for it. */
export async function shownAt(tab: FirefoxTab): Promise<number> {
  return await tab.evaluate(() => window.benchShownAt);
}
