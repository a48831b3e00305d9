/**
 * The page's end of the port to the background page. It connects again when the port is lost, within bounds, and keeps the
 * newest view. An order whose outcome can no longer come ends as `connection_lost`.
 */
import type {
  ActionOutcome,
  PeopleNews,
  PeopleOrder,
  PeopleView,
  PersonAction,
  SettingsOrder,
  StopHelp,
} from '../people-messages.ts';
import { PEOPLE_PORT } from '../people-messages.ts';

interface Port {
  postMessage(message: PeopleOrder): void;
  onMessage: { addListener(listener: (message: object) => void): void };
  onDisconnect: { addListener(listener: () => void): void };
  disconnect(): void;
}

export interface ClientDeps {
  /** `browser.runtime.connect`. Throws when the extension was updated or removed under this page. */
  connect(name: string): Port;
  /** Runs once after that time; returns how to cancel it. */
  after(delayMs: number, run: () => void): () => void;
  newId(): string;
}

const FIRST_RETRY_MS = 300;
const MAX_RETRY_MS = 15_000;
const LOST: ActionOutcome = { ok: false, code: 'connection_lost', message: '' };

type WithoutId<T> = T extends { id: string } ? Omit<T, 'id'> : never;

export class PeopleClient {
  readonly #deps: ClientDeps;
  readonly #listeners = new Set<() => void>();
  readonly #open = new Map<string, (outcome: ActionOutcome | string) => void>();
  #port: Port | null = null;
  #view: PeopleView | null = null;
  #isOrphan = false;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: () => void = () => undefined;
  #isStopped = false;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.#connect();
  }

  /** Null until the background page has sent one. */
  get view(): PeopleView | null {
    return this.#view;
  }

  /** Whether the extension was updated or removed under this page: only a reload helps. */
  get isOrphan(): boolean {
    return this.#isOrphan;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  act(action: PersonAction): Promise<ActionOutcome> {
    return this.#outcome({ order: 'act', action });
  }

  stopHelp(order: StopHelp): Promise<ActionOutcome> {
    return this.#outcome(order);
  }

  change(change: SettingsOrder): Promise<ActionOutcome> {
    return this.#outcome({ order: 'settings', change });
  }

  openOptions(): Promise<ActionOutcome> {
    return this.#outcome({ order: 'open_options' });
  }

  /** Opens the window in which that instruction can be approved. */
  review(instructionId: string): Promise<ActionOutcome> {
    return this.#outcome({ order: 'review_approval', instruction_id: instructionId });
  }

  /** The text of the diagnostics; null when there is no connection. */
  async diagnostics(): Promise<string | null> {
    const found = await this.#ask({ order: 'diagnostics' });
    return typeof found === 'string' ? found : null;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry();
    this.#port?.disconnect();
    this.#lost();
  }

  async #outcome(order: WithoutId<PeopleOrder>): Promise<ActionOutcome> {
    const found = await this.#ask(order);
    return typeof found === 'string' ? { ok: true } : found;
  }

  #ask(order: WithoutId<PeopleOrder>): Promise<ActionOutcome | string> {
    const port = this.#port;
    if (port === null) return Promise.resolve(LOST);
    const id = this.#deps.newId();
    return new Promise((resolve) => {
      this.#open.set(id, resolve);
      port.postMessage({ ...order, id } as PeopleOrder);
    });
  }

  #connect(): void {
    if (this.#isStopped) return;
    let port: Port;
    try {
      port = this.#deps.connect(PEOPLE_PORT);
    } catch {
      this.#isOrphan = true;
      this.#announce();
      return;
    }
    this.#port = port;
    port.onMessage.addListener((message) => this.#take(message as PeopleNews));
    port.onDisconnect.addListener(() => {
      if (this.#port !== port) return;
      this.#lost();
      this.#cancelRetry = this.#deps.after(this.#retryMs, () => this.#connect());
      this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
    });
  }

  #take(news: PeopleNews): void {
    switch (news.news) {
      case 'view':
        this.#view = news.view;
        this.#retryMs = FIRST_RETRY_MS;
        this.#announce();
        break;
      case 'outcome':
        this.#end(news.id, news.outcome);
        break;
      case 'diagnostics':
        this.#end(news.id, news.text);
        break;
      default:
        news satisfies never;
    }
  }

  #end(id: string, outcome: ActionOutcome | string): void {
    const resolve = this.#open.get(id);
    this.#open.delete(id);
    resolve?.(outcome);
  }

  #lost(): void {
    this.#port = null;
    for (const id of [...this.#open.keys()]) this.#end(id, LOST);
  }

  #announce(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
