/**
 * Observes the requests of the chat pages: which one sends, which ones answer, and what the responses say. Listeners are
 * registered at once, as an event page requires. State is kept for each request, never for a tab: two streams of one tab
 * may live side by side. Nothing of a request is changed, and nothing delays it.
 */
import type { Clock } from '../../lib/clock.ts';
import type { RequestRole, SeenSend } from '../../sites/facts.ts';
import type { Site } from '../../sites/site.ts';
import type { TrafficEvent } from '../traffic.ts';
import { BodyBudget } from './body-budget.ts';
import { ObservedRequest } from './observed-request.ts';
import { requestBody, requestBodyLength } from './request-body.ts';
import { ownRequest } from './request-source.ts';
import type { BeforeRequestDetails, WebRequest } from './web-request.ts';

/** Requests that are observed at the same time. A further one ends the observation of the oldest. */
export const MAX_OBSERVED_REQUESTS = 200;

export interface CaptureDeps {
  webRequest: WebRequest;
  sites: readonly Site[];
  clock: Clock;
  emit: (event: TrafficEvent) => void;
}

class SiteCapture {
  readonly #deps: CaptureDeps;
  readonly #site: Site;
  readonly #isOwn: ReturnType<typeof ownRequest>;
  readonly #responses: BodyBudget;
  readonly #sends: BodyBudget;
  /** By the browser's id of the request, oldest first. */
  readonly #requests = new Map<string, ObservedRequest>();

  constructor(deps: CaptureDeps, site: Site) {
    this.#deps = deps;
    this.#site = site;
    this.#isOwn = ownRequest(site);
    this.#responses = new BodyBudget(() => deps.clock.now());
    this.#sends = new BodyBudget(() => deps.clock.now());
  }

  listen(): void {
    const { webRequest } = this.#deps;
    const filter = { urls: [...this.#site.wire.requestPatterns] };
    webRequest.onBeforeRequest.addListener(
      (details) => {
        this.#begin(details);
        return undefined;
      },
      filter,
      ['blocking', 'requestBody'],
    );
    webRequest.onHeadersReceived.addListener(
      (details) => {
        this.#requests.get(details.requestId)?.onHeaders(details);
        return undefined;
      },
      filter,
      ['responseHeaders'],
    );
    webRequest.onBeforeRedirect.addListener(({ requestId }) => {
      // The request begins again at its new address, if that is one that is observed.
      this.#requests.get(requestId)?.abandon('redirected');
      return undefined;
    }, filter);
    webRequest.onCompleted.addListener(({ requestId }) => {
      this.#requests.get(requestId)?.onEnd(null);
      return undefined;
    }, filter);
    webRequest.onErrorOccurred.addListener(({ requestId, error }) => {
      this.#requests.get(requestId)?.onEnd(error);
      return undefined;
    }, filter);
  }

  #begin(details: BeforeRequestDetails): void {
    const url = URL.parse(details.url);
    if (url === null || !this.#isOwn(details)) return;
    const role = this.#site.wire.roleOf({ method: details.method, url });
    if (role !== null) this.#observe(details, role, url);
  }

  #observe(details: BeforeRequestDetails, role: RequestRole, url: URL): void {
    const { requestId, tabId, cookieStoreId: container } = details;
    const { webRequest, clock, emit } = this.#deps;
    const send = role === 'send' ? this.#readSend(details, url) : null;
    if (send === 'no_send') return;
    this.#requests.get(requestId)?.abandon('redirected');
    const onGone = () => this.#forget(requestId, request);
    const own = { site: this.#site, budget: this.#responses, onGone };
    const deps = { ...own, clock, tabId, container, requestId, emit };
    const request = new ObservedRequest(deps, role, url, send);
    this.#requests.set(requestId, request);
    this.#makeRoom();
    request.read(webRequest.filterResponseData(requestId));
    if (send !== null) request.emit({ type: 'send', send });
    else if (role === 'send') request.emit({ type: 'decoded', event: { type: 'drift', what: 'send_body' } });
  }

  #readSend(details: BeforeRequestDetails, url: URL): SeenSend | 'no_send' | null {
    const length = requestBodyLength(details);
    // A page that sends more than any person does is not read; its answers are still seen on their streams.
    if (!this.#sends.take(length)) return null;
    this.#sends.release(length);
    const body = requestBody(details);
    if (body === null) return null;
    try {
      return this.#site.wire.readSend({ method: details.method, url }, body);
    } catch {
      return null;
    }
  }

  #forget(requestId: string, request: ObservedRequest): void {
    if (this.#requests.get(requestId) === request) this.#requests.delete(requestId);
  }

  #makeRoom(): void {
    if (this.#requests.size <= MAX_OBSERVED_REQUESTS) return;
    const [oldest] = this.#requests.values();
    oldest?.emit({ type: 'decoded', event: { type: 'drift', what: 'too_many_requests' } });
    oldest?.abandon('not_observed');
  }
}

/** Begins to observe every site. */
export function startCapture(deps: CaptureDeps): void {
  for (const site of deps.sites) new SiteCapture(deps, site).listen();
}
