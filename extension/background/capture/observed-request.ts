/** One request of a chat page, from its beginning to its end. */
import type { Clock } from '../../lib/clock.ts';
import type { RequestRole, ResponseHead, SeenSend } from '../../sites/facts.ts';
import type { Site } from '../../sites/site.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { BodyBudget } from './body-budget.ts';
import { BodyReader } from './body-reader.ts';
import { isChallenge, responseHead, retryAfterMs } from './response-head.ts';
import type { Filter, HeadersReceivedDetails } from './web-request.ts';

/** How long the end of a request waits for the end of its body. */
const BODY_END_MS = 5_000;

export type TrafficDetail = TrafficEvent extends infer Event
  ? Event extends TrafficEvent
    ? Omit<Event, 'platform' | 'tabId' | 'container' | 'requestId' | 'role' | 'at'>
    : never
  : never;

export interface ObservedRequestDeps {
  site: Site;
  clock: Clock;
  tabId: number;
  container: string | undefined;
  requestId: string;
  emit: (event: TrafficEvent) => void;
  /** Of the site. */
  budget: BodyBudget;
  /** The request has ended and is forgotten. */
  onGone: () => void;
}

export class ObservedRequest {
  readonly #deps: ObservedRequestDeps;
  readonly #role: RequestRole;
  readonly #url: URL;
  readonly #send: SeenSend | null;
  #head: ResponseHead | null = null;
  #body: BodyReader | null = null;
  /** How the request ended, as soon as it did. */
  #end: { error: string | null } | null = null;
  #cancelWait: () => void = () => undefined;
  #isGone = false;

  constructor(deps: ObservedRequestDeps, role: RequestRole, url: URL, send: SeenSend | null) {
    this.#deps = deps;
    this.#role = role;
    this.#url = url;
    this.#send = send;
  }

  get send(): SeenSend | null {
    return this.#send;
  }

  emit(detail: TrafficDetail): void {
    const { site, clock, tabId, container, requestId, emit } = this.#deps;
    emit({ platform: site.platform, tabId, container, requestId, role: this.#role, at: clock.now(), ...detail });
  }

  read(filter: Filter): void {
    this.#body = new BodyReader({
      filter,
      decoder: (isLast) => {
        const head = this.#head ?? (isLast ? this.#unknownHead() : null);
        return head && this.#deps.site.wire.decoder(head);
      },
      // What carries answers is decoded as it comes, and its decoder bounds what it keeps.
      budget: this.#role === 'send' || this.#role === 'stream' ? null : this.#deps.budget,
      areHeadersDue: () => this.#head === null && this.#end === null,
      onEvents: (events) => {
        for (const event of events) this.emit({ type: 'decoded', event });
      },
      onEnd: () => {
        this.#body = null;
        if (this.#end !== null) this.#finish();
      },
    });
  }

  onHeaders(details: HeadersReceivedDetails): void {
    const head = responseHead(details, { wire: this.#deps.site.wire, role: this.#role, send: this.#send });
    this.#head = head;
    const now = this.#deps.clock.now();
    const challenged = isChallenge(head);
    this.emit({ type: 'status', status: head.status, isChallenge: challenged, retryAfterMs: retryAfterMs(head, now) });
    // A request that prepares a send matters only when it is refused.
    if (this.#role === 'prepare' && head.status < 400 && !challenged) this.#body?.drop();
    else this.#body?.onHeaders();
  }

  onEnd(error: string | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#body?.onRequestEnd();
    if (this.#body === null) this.#finish();
    else this.#cancelWait = this.#deps.clock.after(BODY_END_MS, () => this.#body?.drop());
  }

  /** Stops looking at the request; the page keeps its response. */
  abandon(error: string): void {
    this.#end ??= { error };
    if (this.#body === null) this.#finish();
    else this.#body.drop();
  }

  #finish(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#cancelWait();
    this.#deps.onGone();
    this.emit({ type: 'ended', error: this.#end?.error ?? null });
  }

  #unknownHead(): ResponseHead {
    return { role: this.#role, url: this.#url, status: 200, contentType: '', headers: {}, send: this.#send };
  }
}
