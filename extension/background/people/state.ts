/**
 * What the background page knows for people: it is given news by the other parts and keeps the newest, within bounds.
 * Listeners hear of several changes of one moment once.
 */
import type { BridgeSnapshot } from '../../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import type {
  Connection,
  ConnectionNews,
  Drift,
  EndedDelivery,
  HelpedTurn,
  PeopleView,
  ReportedLine,
  SiteSetting,
} from '../../people-messages.ts';

const MAX_DRIFT = 30;
const MAX_DELIVERIES = 20;
/** Changes of the connection kept for the diagnostics. */
const MAX_HISTORY = 50;

export type PastConnection = Pick<Connection, 'state' | 'since' | 'reason'>;

export class PeopleState {
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #history: PastConnection[] = [];
  #view: PeopleView;
  #isAnnouncing = false;

  constructor(version: string, now: () => number) {
    this.#now = now;
    const connection = { state: 'connecting', since: now(), agentUrl: '', reason: null, retryAt: null } as const;
    const queue = { messages: 0, oldestAt: null, isFull: false };
    const empty = { setAside: 0, drift: [], lines: [], deliveries: [], sites: [], helped: [], notices: true };
    this.#view = { version, connection, snapshot: null, snapshotAt: null, queue, ...empty };
  }

  get view(): PeopleView {
    return this.#view;
  }

  /** Changes of the connection, newest last. */
  get history(): readonly PastConnection[] {
    return this.#history;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  connection({ state, reason, retryAt }: ConnectionNews, agentUrl: string): void {
    const before = this.#view.connection;
    const isSame = before.state === state && before.reason === reason;
    const since = isSame ? before.since : this.#now();
    if (!isSame) {
      this.#history.push({ state, since, reason });
      this.#history.splice(0, this.#history.length - MAX_HISTORY);
    }
    this.#change({ connection: { state, reason, retryAt, since, agentUrl } });
  }

  snapshot(snapshot: BridgeSnapshot): void {
    this.#change({ snapshot, snapshotAt: this.#now() });
  }

  /** Without a pairing nothing of an agent is shown. */
  forgetSnapshot(): void {
    this.#change({ snapshot: null, snapshotAt: null });
  }

  queue(messages: number, oldestAt: number | null, isFull: boolean): void {
    this.#change({ queue: { messages, oldestAt, isFull } });
  }

  setAside(messages: number): void {
    this.#change({ setAside: messages });
  }

  drift(platform: Platform, what: string): void {
    const isSame = (one: Drift) => one.platform === platform && one.what === what;
    const known = this.#view.drift.find(isSame);
    const newest = { platform, what: what.slice(0, 200), at: this.#now(), count: (known?.count ?? 0) + 1 };
    this.#change({ drift: [newest, ...this.#view.drift.filter((one) => !isSame(one))].slice(0, MAX_DRIFT) });
  }

  lines(lines: readonly ReportedLine[]): void {
    this.#change({ lines });
  }

  delivery(ended: EndedDelivery): void {
    this.#change({ deliveries: [ended, ...this.#view.deliveries].slice(0, MAX_DELIVERIES) });
  }

  sites(sites: readonly SiteSetting[]): void {
    this.#change({ sites });
  }

  helped(helped: readonly HelpedTurn[]): void {
    if (JSON.stringify(helped) !== JSON.stringify(this.#view.helped)) this.#change({ helped });
  }

  notices(isOn: boolean): void {
    if (isOn !== this.#view.notices) this.#change({ notices: isOn });
  }

  #change(change: Partial<PeopleView>): void {
    this.#view = { ...this.#view, ...change };
    if (this.#isAnnouncing) return;
    this.#isAnnouncing = true;
    queueMicrotask(() => {
      this.#isAnnouncing = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
