/**
 * Notifications of Firefox about what waits for a person: one for each object, for as long as it waits. What has been shown
 * is stored before it is shown, so that neither a restart nor a second tab shows it again. There is one background page for
 * all tabs and windows of a profile. What begins to wait in the quiet hours is shown when they end, if it still waits.
 */
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import { Serial } from '../../lib/serial.ts';
import type { StorageArea } from '../../lib/storage.ts';
import { STORAGE_KEYS, Stored } from '../../lib/storage.ts';
import type { Translate } from '../../overlay/texts.ts';
import type { PeopleView } from '../../people-messages.ts';
import type { WaitingObject, WaitingPlace } from './waiting-objects.ts';
import { isUnsaid, keysToKeep, MAX_KNOWN, quietEnd, waitingIn } from './waiting-objects.ts';

const KnownSchema = z.array(z.string().max(300)).max(MAX_KNOWN);

/** `browser.notifications`, as far as it is used. */
export interface NotificationsApi {
  show(id: string, text: { title: string; message: string }): Promise<unknown>;
  clear(id: string): Promise<unknown>;
  onClicked(listener: (id: string) => void): void;
}

export interface WaitingNoticesDeps {
  storage: StorageArea;
  notifications: NotificationsApi;
  translate: Translate;
  clock: Clock;
  /** Shows a person where it can be decided. */
  lead(place: WaitingPlace): Promise<unknown>;
}

export class WaitingNotices {
  readonly #deps: WaitingNoticesDeps;
  readonly #stored: Stored<string[]>;
  readonly #turns = new Serial();
  /** Null until it is read. */
  #known: string[] | null = null;
  readonly #shown = new Set<string>();
  #waiting: readonly WaitingObject[] = [];
  #cancelQuiet: () => void = () => undefined;

  constructor(deps: WaitingNoticesDeps) {
    this.#deps = deps;
    this.#stored = new Stored(deps.storage, STORAGE_KEYS.notices, KnownSchema, []);
    deps.notifications.onClicked((id) => {
      // What has ceased to wait, or was shown before a restart, is looked for in the options.
      const place = this.#waiting.find(({ key }) => key === id)?.place ?? { at: 'options' };
      deps.lead(place).catch(() => undefined);
      this.#clear(id).catch(() => undefined);
    });
  }

  /** Shows what has begun to wait. While a person has turned notifications off, it counts as shown. */
  update(view: PeopleView): Promise<void> {
    return this.#turns.run(() => this.#update(view));
  }

  async #update(view: PeopleView): Promise<void> {
    const all = waitingIn(view);
    if (all === null) return;
    this.#waiting = all;
    const known = this.#known ?? (await this.#stored.read());
    const isQuiet = view.notices && this.#waitsForEndOfQuiet(view);
    const waiting = isQuiet ? all.filter(({ key }) => known.includes(key)) : all;
    const unsaid = known.filter((key) => isUnsaid(key, view));
    const keys = [...waiting.map(({ key }) => key), ...unsaid];
    const next = keysToKeep(known, keys, view.snapshot?.edge_connected === true);
    if (next.join('\n') !== known.join('\n')) await this.#stored.write(next);
    this.#known = next;
    for (const gone of [...this.#shown].filter((key) => !keys.includes(key))) await this.#clear(gone);
    if (!view.notices) return;
    const { notifications, translate } = this.#deps;
    for (const { key, title, message } of waiting.filter((one) => !known.includes(one.key))) {
      this.#shown.add(key);
      await notifications.show(key, { title: translate(title), message });
    }
  }

  async #clear(key: string): Promise<void> {
    this.#shown.delete(key);
    await this.#deps.notifications.clear(key);
  }

  /** Whether these are quiet hours. Then the view is looked at again when they end. */
  #waitsForEndOfQuiet(view: PeopleView): boolean {
    const { clock } = this.#deps;
    this.#cancelQuiet();
    const end = quietEnd(view, clock.now());
    if (end === null) return false;
    this.#cancelQuiet = clock.after(end - clock.now(), () => void this.update(view).catch(() => undefined));
    return true;
  }
}
