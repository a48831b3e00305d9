/** A bridge on a real port over a real store, with a recorded edge. Time stands still but for what is due at once. */
import { onTestFinished } from 'vitest';
import type { Bridge } from '../../../../local-agent/bridge/bridge.ts';
import { createBridge } from '../../../../local-agent/bridge/bridge.ts';
import type { EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { SystemView } from '../../../../local-agent/edge/system-view.ts';
import type { LocalApi } from '../../../../local-agent/local-api/server.ts';
import { BridgeClient } from '../../../../local-agent/stack/bridge-client.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import type { FinalMessage } from '../../../../schema/contracts/bridge-frames.ts';
import type { Conversation } from '../../../../schema/contracts/conversations.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

export const ORIGIN = 'moz-extension://6f1c2f0e-1111-4222-8333-944455556666';
export const STRANGER = 'moz-extension://aaaaaaaa-1111-4222-8333-944455556666';
export const SHARED_TOKEN = 'the-token-of-the-node';
export const CLIENT_TOKEN = 'the-token-of-firefox-1';

class StandingClock extends ManualClock {
  override after(delayMs: number, run: () => void): () => void {
    if (delayMs > 0) return super.after(delayMs, run);
    const timer = setImmediate(run);
    return () => clearImmediate(timer);
  }
}

/** Answers a call, or throws an EdgeError. */
export type EdgeResponse = (request: EdgeRequest<unknown>) => unknown;

export class BridgeFixture {
  readonly clock = new StandingClock();
  readonly system = new SystemView();
  readonly ingested: { frame: FinalMessage; ageMs: number }[] = [];
  /** What was asked of the edge: `METHOD path`, with the token when it was not the node's. */
  readonly calls: { request: string; body: unknown; token: string | undefined }[] = [];
  readonly logged: unknown[] = [];
  edge: EdgeResponse = () => {
    throw new EdgeError('status', 404, 'not_found', 'nothing here');
  };
  onFinalMessage: (frame: FinalMessage, ageMs: number) => void = (frame, ageMs) => {
    this.ingested.push({ frame, ageMs });
  };
  readonly store: Store;
  readonly bridge: Bridge;
  #api: LocalApi | null = null;

  private constructor() {
    this.store = openTestStore(this.clock);
    const note = (...entry: unknown[]): void => void this.logged.push(entry);
    this.bridge = createBridge({
      store: this.store,
      nodeId: 'node-a',
      edge: { call: (request) => this.#call(request) },
      system: this.system,
      clock: this.clock,
      random: () => 0.5,
      log: { info: note, warn: note, error: note },
      localApi: 'http://127.0.0.1:0',
      sharedToken: SHARED_TOKEN,
      journalLimit: 2,
      status: () => ({ state: 'leader' }),
      onFinalMessage: (frame, ageMs) => this.onFinalMessage(frame, ageMs),
    });
  }

  static async start(): Promise<BridgeFixture> {
    const fixture = new BridgeFixture();
    fixture.#api = await fixture.bridge.start();
    onTestFinished(() => fixture.bridge.stop());
    return fixture;
  }

  get url(): string {
    return this.#api?.url ?? '';
  }

  get host(): string {
    return new URL(this.url).host;
  }

  /** Calls the local API as the command line does. */
  async http(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; json: unknown }> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${SHARED_TOKEN}`, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  }

  async pin(clientId = 'firefox-1', token = CLIENT_TOKEN): Promise<void> {
    await this.http('POST', '/v1/pairings', { origin: ORIGIN, client_id: clientId, token });
  }

  connect(origin = ORIGIN, headers: Record<string, string> = {}): Promise<BridgeClient> {
    return BridgeClient.connect({ agentUrl: this.url, origin, headers });
  }

  /** A paired browser after its hello. */
  async browser(
    clientId = 'firefox-1',
    pairing: 'pair first' | 'paired already' = 'pair first',
  ): Promise<BridgeClient> {
    if (pairing === 'pair first') await this.pin(clientId);
    return BridgeClient.hello({
      agentUrl: this.url,
      origin: ORIGIN,
      clientId,
      token: CLIENT_TOKEN,
      platforms: ['chatgpt'],
    });
  }

  /** Bodies of the outbox rows of that kind, oldest first. */
  told(kind: string): { path: string; method: string; body: Record<string, unknown> }[] {
    return this.store.db
      .prepare('SELECT path, method, body FROM outbox WHERE kind = ? ORDER BY id')
      .all(kind)
      .map((row) => ({ path: String(row.path), method: String(row.method), body: JSON.parse(String(row.body)) }));
  }

  async #call<T>(request: EdgeRequest<T>): Promise<T> {
    this.calls.push({ request: `${request.method} ${request.path}`, body: request.body, token: request.token });
    return request.schema.parse(this.edge(request as EdgeRequest<unknown>));
  }
}

export function finalMessage(change: Partial<FinalMessage> = {}): FinalMessage {
  return {
    type: 'browser.final_message',
    request_id: 'fm-1',
    client_id: 'firefox-1',
    platform: 'chatgpt',
    conversation_id: 'c1',
    assistant_message_id: 'a-1',
    raw_text: 'hello',
    role: 'assistant',
    observed_at: 1_800_000_000_000,
    page_url: 'https://chatgpt.com/c/c1',
    page_title: null,
    tab_id: 17,
    shell_page: false,
    capture: { source: 'network', other: 'agrees' },
    ...change,
  };
}

export function clientState(requestId: string, conversations: string[] = ['c1'], observedAt = 1) {
  return {
    type: 'browser.client_state' as const,
    request_id: requestId,
    tabs: conversations.map((conversation_id, index) => ({
      platform: 'chatgpt' as const,
      conversation_id,
      page_url: `https://chatgpt.com/c/${conversation_id}`,
      page_title: null,
      tab_id: index + 1,
      shell_page: false,
      observed_at: observedAt,
    })),
    logins: [{ platform: 'chatgpt' as const, login: 'fresh' as const, fingerprint: 'f1' }],
    request_hooks: [],
  };
}

export function conversation(change: Partial<Conversation> = {}): Conversation {
  return {
    local_conversation_id: 'lc_1',
    platform: 'chatgpt',
    remote_conversation_id: 'c1',
    automation_status: 'auto',
    last_non_paused_automation_status: 'auto',
    pause_reason: null,
    paused_at: null,
    title: null,
    last_message_id: null,
    last_message_at: null,
    created_at: 1,
    updated_at: 1,
    ...change,
  };
}
