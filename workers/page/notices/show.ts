/**
 * Notifications of this browser about what waits for a person, while the page is open. A person turns them on by a press.
 * Of several tabs one shows each object: they take turns, and share what has been shown. What waits at the first look is one
 * notification.
 */
import { ICON } from '../icon.ts';
import { t } from '../texts/texts.ts';
import { readWaiting } from './read-waiting.ts';
import { newsOf } from './what-waits.ts';

const STORED = 'conductor.notices';
const KNOWN = 'conductor.noticed';
/** A hidden tab may look as often as that, and no more often. */
const LOOK_MS = 60_000;
const CHANGED = 'conductor-notices';

export function areShown(): boolean {
  return localStorage.getItem(STORED) === 'on' && 'Notification' in window && Notification.permission === 'granted';
}

/** Follows a press: the browser asks the person. False when it may not show notifications. */
export async function turnOn(): Promise<boolean> {
  if (!('Notification' in window) || (await Notification.requestPermission()) !== 'granted') return false;
  localStorage.setItem(STORED, 'on');
  dispatchEvent(new Event(CHANGED));
  return true;
}

export function turnOff(): void {
  localStorage.removeItem(STORED);
  // Turned on again, it looks for the first time.
  localStorage.removeItem(KNOWN);
  dispatchEvent(new Event(CHANGED));
}

/** Looks now, at each change of the setting, and from time to time. Returns how to end it. */
export function watch(): () => void {
  const look = (): void => {
    // What could not be read is read at the next look.
    if (areShown())
      void navigator.locks.request(KNOWN, { ifAvailable: true }, (lock) => lock && showNews()).catch(() => undefined);
  };
  const timer = setInterval(look, LOOK_MS);
  addEventListener(CHANGED, look);
  look();
  return () => {
    clearInterval(timer);
    removeEventListener(CHANGED, look);
  };
}

async function showNews(): Promise<void> {
  const { each, summary, known } = newsOf({ ...(await readWaiting()), known: readKnown(), now: Date.now() });
  if (known !== null) localStorage.setItem(KNOWN, JSON.stringify(known));
  for (const { key, cause, object_id, path } of each) show(t(`notice_${cause}`), object_id, key, path);
  if (summary > 0) show(t('notice_summary', { n: summary }), '', 'summary', '/');
}

/** Null: nothing has been looked at yet. */
function readKnown(): string[] | null {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KNOWN) ?? 'null');
    return Array.isArray(stored) ? stored.filter((key) => typeof key === 'string') : null;
  } catch {
    return null;
  }
}

function show(title: string, body: string, tag: string, path: string): void {
  const notification = new Notification(title, { body, tag, icon: ICON });
  notification.onclick = () => {
    window.focus();
    location.assign(path);
  };
}
