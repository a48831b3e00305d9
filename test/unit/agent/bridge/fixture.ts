/** A bridge on a real port over a real store, with a recorded edge. Timers without delay run, all others wait. */
import { onTestFinished } from 'vitest';
import type { BrowserSide } from '../../../../local-agent/agent.ts';
import { buildBridgeSide, buildBrowserSide } from '../../../../local-agent/agent.ts';
import type { MessageSink } from '../../../../local-agent/bridge/session.ts';
import type { EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { SystemView } from '../../../../local-agent/edge/system-view.ts';
import { BridgeClient } from '../../../../local-agent/stack/bridge-client.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import type { FinalMessage } from '../../../../schema/contracts/bridge-frames.ts';
import type { Conversation } from '../../../../schema/contracts/conversations.ts';
import type { Instruction } from '../../../../schema/contracts/instructions.ts';
import type { Session } from '../../../../schema/contracts/tokens.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { instructionRow } from '../../../support/instruction-row.ts';
import { ORIGIN, TestBrowser } from '../../../support/test-browser.ts';
import { TestClock } from '../../../support/test-clock.ts';

export { ORIGIN };
export const STRANGER = 'moz-extension://aaaaaaaa-1111-4222-8333-944455556666';
export const SHARED_TOKEN = 'the-token-of-the-node';
export const CLIENT_TOKEN = 'the-token-of-firefox-1';

class BridgeClock extends TestClock {
  override after(delayMs: number, run: () => void): () => void {
    if (delayMs > 0) return super.after(delayMs, run);
    const timer = setImmediate(run);
    return () => clearImmediate(timer);
  }
}

/** Responds to a call, or throws an EdgeError. */
export type EdgeResponse = (request: EdgeRequest<unknown>) => unknown;

export class BridgeFixture {
  readonly clock = new BridgeClock();
  readonly system = new SystemView();
  readonly ingested: { frame: FinalMessage; ageMs: number }[] = [];
  /** Calls to the edge: `METHOD path`, with the token when it was not the node's. */
  readonly calls: { request: string; body: unknown; token: string | undefined }[] = [];
  readonly logged: unknown[] = [];
  /** Which browser each token belongs to at the edge. */
  readonly tokens = new Map<string, string>();
  /** Who the edge says that the bearer of a token is; by default the browser in `tokens`. */
  sessionOf: (token: string) => Pick<Session, 'role' | 'subject'> = (token) => {
    const subject = this.tokens.get(token);
    if (subject === undefined) throw new EdgeError('status', 401, 'unknown_token', 'unknown token');
    return { role: 'browser_admin', subject };
  };
  edge: EdgeResponse = () => {
    throw new EdgeError('status', 404, 'not_found', 'nothing here');
  };
  onFinalMessage: (frame: FinalMessage, ageMs: number) => void = (frame, ageMs) => {
    this.ingested.push({ frame, ageMs });
  };
  prepare: MessageSink['prepare'] = (frame) => (ageMs) => this.onFinalMessage(frame, ageMs);
  readonly store: Store;
  readonly side: BrowserSide;
  #url = '';
  /** Checks the tokens of all connected browsers, as at a notice of the edge. */
  checkTokens: () => Promise<void> = async () => undefined;

  private constructor() {
    this.store = openTestStore(this.clock);
    this.side = buildBrowserSide(this.#deps());
  }

  static async start(): Promise<BridgeFixture> {
    const fixture = new BridgeFixture();
    const { bridge, openLocalApi } = buildBridgeSide(fixture.side, {
      ...fixture.#deps(),
      messages: { prepare: (frame) => fixture.prepare(frame) },
      sharedToken: SHARED_TOKEN,
      status: () => ({ state: 'leader' }),
      env: { npm_lifecycle_event: 'start' },
    });
    fixture.checkTokens = () => bridge.tokens.checkAll();
    const api = await openLocalApi('http://127.0.0.1:0');
    fixture.#url = api.url;
    fixture.side.delivery.start();
    onTestFinished(async () => {
      fixture.side.delivery.stop();
      bridge.stop();
      await api.close();
    });
    return fixture;
  }

  get url(): string {
    return this.#url;
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

  async pin(clientId = 'firefox-1', token = CLIENT_TOKEN, origin = ORIGIN): Promise<void> {
    this.tokens.set(token, clientId);
    await this.http('POST', '/v1/pairings', { origin, client_id: clientId, token });
  }

  connect(origin = ORIGIN, headers: Record<string, string> = {}): Promise<BridgeClient> {
    return BridgeClient.connect({ agentUrl: this.url, origin, headers });
  }

  /** A paired browser after its hello. */
  async browser(clientId = 'firefox-1', pairing: 'pair first' | 'paired already' = 'pair first'): Promise<TestBrowser> {
    if (pairing === 'pair first') await this.pin(clientId);
    return TestBrowser.connect({ agentUrl: this.url, clientId, token: CLIENT_TOKEN, platforms: ['chatgpt'] });
  }

  /** The browser `firefox-1`, which is paired already, with that token. */
  browserWith(token: string): Promise<TestBrowser> {
    return TestBrowser.connect({ agentUrl: this.url, clientId: 'firefox-1', token, platforms: ['chatgpt'] });
  }

  /** Outbox rows of that kind, oldest first. */
  reported(kind: string): { path: string; method: string; body: Record<string, unknown> }[] {
    return this.store.db
      .prepare('SELECT path, method, body FROM outbox WHERE kind = ? ORDER BY id')
      .all(kind)
      .map((row) => ({ path: String(row.path), method: String(row.method), body: JSON.parse(String(row.body)) }));
  }

  #deps() {
    const note = (...entry: unknown[]): void => void this.logged.push(entry);
    return {
      store: this.store,
      nodeId: 'node-a',
      edge: { call: <T>(request: EdgeRequest<T>) => this.#call(request) },
      system: this.system,
      clock: this.clock,
      random: () => 0.5,
      log: { info: note, warn: note, error: note },
      activityLimit: 2,
    };
  }

  async #call<T>(request: EdgeRequest<T>): Promise<T> {
    if (request.path === '/v1/session') {
      const caller = this.sessionOf(request.token ?? '');
      return request.schema.parse({
        ...caller,
        token_id: 'tok_1',
        controller_id: null,
        via: 'token',
        expires_at: null,
      });
    }
    this.calls.push({ request: `${request.method} ${request.path}`, body: request.body, token: request.token });
    return request.schema.parse(this.edge(request as EdgeRequest<unknown>));
  }
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

/** An instruction that waits for a person, as a list has it. */
export function approvalOf(instruction_id: string): Instruction {
  return instructionRow({ instruction_id, controller_id: 'node-a', target: 'host' });
}
