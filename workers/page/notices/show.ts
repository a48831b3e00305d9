/**
 * Notifications of this browser about what waits for a person, while the page is open. A person turns them on by a press.
 * Of several tabs one shows each object: they take turns, and share what has been shown.
 */
import { t } from '../texts/texts.ts';
import { readWaiting } from './read-waiting.ts';
import type { WaitingObject } from './what-waits.ts';
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
  const { news, known } = newsOf(await readWaiting(), readKnown());
  localStorage.setItem(KNOWN, JSON.stringify(known));
  for (const one of news) show(one);
}

function readKnown(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KNOWN) ?? '[]');
    return Array.isArray(stored) ? stored.filter((key) => typeof key === 'string') : [];
  } catch {
    return [];
  }
}

function show({ key, cause, object_id, path }: WaitingObject): void {
  const notification = new Notification(t(`notice_${cause}`), { body: object_id, tag: key, icon: '/icon.svg' });
  notification.onclick = () => {
    window.focus();
    location.assign(path);
  };
}
