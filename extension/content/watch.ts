/**
 * Calls `look` after changes of the page: at most four times a second, and less often where a look takes long, so that it
 * never uses more than a tenth of the time. A page that does not change costs nothing.
 */
import type { Clock } from '../lib/clock.ts';

const MIN_GAP_MS = 250;
const COST_FACTOR = 10;

export interface WatchDeps {
  window: Window & typeof globalThis;
  clock: Clock;
  look: () => void;
}

export function watchPage({ window, clock, look }: WatchDeps): void {
  const { document } = window;
  let isDue = false;
  let notBefore = 0;
  const run = () => {
    isDue = false;
    const start = clock.now();
    look();
    const end = clock.now();
    notBefore = end + Math.max(MIN_GAP_MS, (end - start) * COST_FACTOR);
  };
  const changed = () => {
    if (isDue) return;
    isDue = true;
    clock.after(Math.max(0, notBefore - clock.now()), run);
  };
  const observer = new window.MutationObserver(changed);
  observer.observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
  for (const name of ['popstate', 'pageshow', 'load']) window.addEventListener(name, changed);
  document.addEventListener('visibilitychange', changed);
  document.addEventListener('input', changed, { capture: true, passive: true });
  changed();
}
