/**
 * A whole system with one browser that keeps every delivery that it was asked for, over every reconnection. It responds as
 * the test says; the texts that it has taken are what its site holds when the agent has it read a conversation.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { EdgeApi, eventually } from '../../local-agent/stack/edge-api.ts';
import type { Stack } from '../../local-agent/stack/stack.ts';
import { startStack } from '../../local-agent/stack/stack.ts';
import type { Supervised } from '../../local-agent/stack/supervised.ts';
import type { ProxyDelivery } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { envelopeOf, PLATFORM_IDS, pageOf } from '../../schema/contracts/common.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { MessageSummarySchema } from '../../schema/contracts/instructions.ts';
import type { RenewalJob } from '../../schema/contracts/renewal.ts';
import { RenewalJobSchema } from '../../schema/contracts/renewal.ts';
import { TokenCreatedSchema } from '../../schema/contracts/tokens.ts';
import type { DeliveryResponse, Page } from './test-browser.ts';
import { pageOf as chatPage, ORIGIN, TestBrowser } from './test-browser.ts';

export const CLIENT_ID = 'firefox-renewal';
const NODE_ID = 'renewal-main';
const WAIT_MS = 120_000;
export const SETTLE_MS = 300;

const LogLineSchema = z.looseObject({ ts: z.string(), stage: z.string(), runner: z.string() });

export class RenewalScene {
  readonly stack: Stack;
  readonly api: EdgeApi;
  /** Every delivery that reached the browser, with when (Unix milliseconds). */
  readonly asked: { at: number; frame: ProxyDelivery }[] = [];
  /** What the site holds of the person, by conversation. */
  readonly #site = new Map<string, string[]>();
  /** Conversations that have a tab. */
  readonly #tabs: string[] = [];
  readonly #operator: string;
  readonly #root: string;
  #browser: TestBrowser | null = null;
  /** The browser's own. */
  #token = '';
  #respond: (delivery: ProxyDelivery) => DeliveryResponse = () => ({});

  private constructor(stack: Stack, root: string) {
    this.stack = stack;
    this.#root = root;
    this.#operator = readFileSync(stack.layout.operatorFile, 'utf8').trim();
    this.api = new EdgeApi(stack.edgeUrl, this.#operator);
  }

  static async start(): Promise<RenewalScene> {
    const root = mkdtempSync(join(tmpdir(), 'conductor-renewal-'));
    const stack = await startStack(
      {
        root,
        port: 0,
        agentPort: 0,
        nodeId: NODE_ID,
        host: 'localhost',
        agent: true,
        vars: { BAA_TIMED_JOBS_SETTLE_DELAY_MS: String(SETTLE_MS) },
      },
      () => undefined,
    );
    const scene = new RenewalScene(stack, root);
    await scene.#pair();
    await scene.#connect();
    return scene;
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.stack.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** How the browser responds to deliveries from now on; by default as delivered. */
  respondWith(respond: (delivery: ProxyDelivery) => DeliveryResponse): void {
    this.#respond = respond;
  }

  /** The site takes the text of a delivery, whether or not the agent gets a result. */
  taken(delivery: ProxyDelivery): void {
    const key = delivery.conversation_id ?? '';
    this.#site.set(key, [...(this.#site.get(key) ?? []), delivery.message_text]);
  }

  /** Responds to a delivery after its silence. */
  respondLate(delivery: ProxyDelivery): void {
    this.#browser?.respond(delivery);
  }

  deliveriesTo(conversation: string): ProxyDelivery[] {
    return this.asked.filter(({ frame }) => frame.conversation_id === conversation).map(({ frame }) => frame);
  }

  /** The nth delivery to a conversation, now or when it comes. */
  delivery(conversation: string, n = 1, waitMs = WAIT_MS): Promise<ProxyDelivery> {
    const what = `delivery ${n} to ${conversation}`;
    return eventually(what, waitMs, async () => this.deliveriesTo(conversation)[n - 1] ?? null);
  }

  /** Makes a conversation that is `auto`, by way of a first message of the person. */
  async conversation(id: string): Promise<void> {
    this.#tabs.push(id);
    this.#showTabs();
    const found = await eventually(`conversation ${id}`, WAIT_MS, async () => {
      const { items } = await this.api.get(
        `/v1/renewal/conversations?platform=${platformOf(id)}&remote_conversation_id=${id}`,
        pageOf(ConversationSchema),
      );
      return items.find((row) => row.remote_conversation_id === id) ?? null;
    });
    await this.post(`/v1/renewal/conversations/${found.local_conversation_id}/auto`);
  }

  /** The assistant's final message; resolves when the agent has it. */
  async say(conversation: string, text: string): Promise<string> {
    const id = `${conversation}-${crypto.randomUUID()}`;
    if (this.#browser === null) throw new Error('the browser is not connected');
    await this.#browser.says(id, text, { page: page(conversation) });
    return id;
  }

  /** The job of a message, when `isReached` accepts its state. */
  job(assistantMessageId: string, isReached: (job: RenewalJob) => boolean, waitMs = WAIT_MS): Promise<RenewalJob> {
    return eventually(`the job of ${assistantMessageId}`, waitMs, async () => {
      const messages = await this.#tried('/v1/messages?limit=200', pageOf(MessageSummarySchema));
      const message = messages?.items.find((one) => one.assistant_message_id === assistantMessageId);
      if (message === undefined) return null;
      const path = `/v1/renewal/jobs?message_id=${message.message_id}`;
      const jobs = await this.#tried(path, pageOf(RenewalJobSchema));
      return jobs?.items.find(isReached) ?? null;
    });
  }

  async messageOf(assistantMessageId: string) {
    return eventually(`the message ${assistantMessageId}`, WAIT_MS, async () => {
      const page = await this.#tried('/v1/messages?limit=200', pageOf(MessageSummarySchema));
      return page?.items.find((one) => one.assistant_message_id === assistantMessageId) ?? null;
    });
  }

  async post(path: string, body: object = {}): Promise<unknown> {
    const response = await fetch(`${this.stack.edgeUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#operator}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const json: unknown = await response.json();
    if (!response.ok) throw new Error(`POST ${path} answered ${response.status}: ${JSON.stringify(json)}`);
    return envelopeOf(z.unknown()).parse(json).data;
  }

  /** The agent's own API. */
  async local<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> {
    return schema.parse(await this.#local(path));
  }

  /** SIGKILL to the agent; resolves when the next one has the browser again. */
  async killAgent(): Promise<void> {
    const { agent } = this.stack;
    if (agent === null) throw new Error('there is no agent');
    await killed(agent);
    await this.#connect();
  }

  /** SIGKILL to the edge's runtime; resolves when it is dead. It comes back by itself. */
  killEdge(): Promise<void> {
    return killed(this.stack.edge);
  }

  edgeIsBack(): Promise<true> {
    return eventually('the edge', WAIT_MS, async () => ((await isUp(`${this.stack.edgeUrl}/healthz`)) ? true : null));
  }

  /** Resolves when the agent holds no outbox row back, or (`filled`) when it does. */
  outbox(state: 'empty' | 'filled'): Promise<true> {
    const StatusSchema = z.looseObject({ outbox: z.looseObject({ pending: z.number() }) });
    return eventually(`an outbox that is ${state}`, WAIT_MS, async () => {
      const { outbox } = await this.local('/v1/status', StatusSchema);
      return outbox.pending > 0 === (state === 'filled') ? true : null;
    });
  }

  /** The lines of the host's own tick log, of all days. */
  tickLines(): z.infer<typeof LogLineSchema>[] {
    const folder = join(this.stack.layout.logs, 'timed-jobs');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .sort()
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
      .filter((line) => line !== '')
      .map((line) => LogLineSchema.parse(JSON.parse(line)));
  }

  /** The edge creates the browser's token, and confirms it to the agent. */
  async #pair(): Promise<void> {
    const created = await this.post('/v1/tokens', { role: 'browser_admin', subject: CLIENT_ID });
    this.#token = TokenCreatedSchema.parse(created).token;
    const pin = { origin: ORIGIN, client_id: CLIENT_ID, token: this.#token };
    // The agent asks the edge about the token, and does not wait long on a busy machine.
    await eventually('the pairing', WAIT_MS, () => this.#local('/v1/pairings', pin).catch(() => null));
  }

  async #connect(): Promise<void> {
    const agentUrl = this.stack.agentUrl ?? '';
    const browser = await eventually('the bridge', WAIT_MS, () =>
      TestBrowser.connect({ agentUrl, clientId: CLIENT_ID, token: this.#token }).catch(() => null),
    );
    this.#browser = browser;
    browser.serveDeliveries((frame) => {
      this.asked.push({ at: Date.now(), frame });
      const response = this.#respond(frame);
      if (response !== 'silence' && response.failed !== true) this.taken(frame);
      return response;
    });
    browser.serveReadings((conversation) => this.#site.get(conversation ?? '') ?? []);
    this.#showTabs();
  }

  #showTabs(): void {
    this.#browser?.show(...this.#tabs.map(page));
  }

  async #local(path: string, body?: object): Promise<unknown> {
    const token = readFileSync(this.stack.layout.nodeTokenFile, 'utf8').trim();
    const response = await fetch(`${this.stack.agentUrl}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return envelopeOf(z.unknown()).parse(await response.json()).data;
  }

  /** Null while the edge is away. */
  #tried<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T> | null> {
    return this.api.get(path, schema).catch(() => null);
  }
}

/** Named by the conversation's id, so that a test can have deliveries that do not share a slot. */
function platformOf(conversation: string): Platform {
  return PLATFORM_IDS.find((platform) => conversation.startsWith(`${platform}-`)) ?? 'claude';
}

function page(conversation: string): Page {
  return chatPage(conversation, platformOf(conversation));
}

async function isUp(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => null);
  await response?.body?.cancel();
  return response?.ok ?? false;
}

function killed(child: Supervised): Promise<void> {
  return new Promise((resolve) => {
    child.once('died', () => resolve());
    child.kill();
  });
}
