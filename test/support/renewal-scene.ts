/**
 * A whole system with one browser that remembers everything it was asked to send, over every reconnection. It answers
 * what a test tells it to; what it has taken is what the "site" holds when the agent has it read a conversation.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { BridgeClient } from '../../local-agent/stack/bridge-client.ts';
import { EdgeApi, eventually } from '../../local-agent/stack/edge-api.ts';
import type { Stack } from '../../local-agent/stack/stack.ts';
import { startStack } from '../../local-agent/stack/stack.ts';
import type { Supervised } from '../../local-agent/stack/supervised.ts';
import type { ActionResult, ProxyDelivery } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { envelopeOf, PLATFORM_IDS, pageOf } from '../../schema/contracts/common.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { MessageSummarySchema } from '../../schema/contracts/instructions.ts';
import type { RenewalJob } from '../../schema/contracts/renewal.ts';
import { RenewalJobSchema } from '../../schema/contracts/renewal.ts';

const ORIGIN = 'moz-extension://6f1c2f0e-1111-4222-8333-944455556666';
export const CLIENT_ID = 'firefox-renewal';
const CLIENT_TOKEN = 'the-token-of-the-renewal-browser';
const NODE_ID = 'renewal-main';
const WAIT_MS = 60_000;
export const SETTLE_MS = 300;

const LogLineSchema = z.looseObject({ ts: z.string(), stage: z.string(), runner: z.string() });

export type Response = Partial<ActionResult> | 'silence';

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
  #client: BridgeClient | null = null;
  #answer: (delivery: ProxyDelivery) => Response = () => ({});
  #ended = false;

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
    await scene.#local('/v1/pairings', { origin: ORIGIN, client_id: CLIENT_ID, token: CLIENT_TOKEN });
    await scene.#connect();
    return scene;
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#client?.close();
    await this.stack.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** How deliveries are answered from now on; without, as delivered. `silence`: taken, and never answered. */
  answerWith(answer: (delivery: ProxyDelivery) => Response): void {
    this.#answer = answer;
  }

  /** The site has taken that text, whatever the agent was told. */
  taken(delivery: ProxyDelivery): void {
    const key = delivery.conversation_id ?? '';
    this.#site.set(key, [...(this.#site.get(key) ?? []), delivery.message_text]);
  }

  /** Answers a delivery that was met with silence. */
  answerLate(delivery: ProxyDelivery): void {
    this.#client?.answer(delivery);
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
    this.#tellTabs();
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
    const client = this.#client;
    if (client === null) throw new Error('the browser is not connected');
    const acknowledged = client.next('message_ack', (frame) => frame.request_id === id);
    client.send({
      type: 'browser.final_message',
      request_id: id,
      client_id: CLIENT_ID,
      ...page(conversation),
      assistant_message_id: id,
      raw_text: text,
      role: 'assistant',
      observed_at: Date.now(),
      capture: { source: 'network', other: 'agrees' },
    });
    await acknowledged;
    return id;
  }

  /** The job of a message, once `settled` says so. */
  job(assistantMessageId: string, settled: (job: RenewalJob) => boolean, waitMs = WAIT_MS): Promise<RenewalJob> {
    return eventually(`the job of ${assistantMessageId}`, waitMs, async () => {
      const messages = await this.#tried('/v1/messages?limit=200', pageOf(MessageSummarySchema));
      const message = messages?.items.find((one) => one.assistant_message_id === assistantMessageId);
      if (message === undefined) return null;
      const path = `/v1/renewal/jobs?message_id=${message.message_id}`;
      const jobs = await this.#tried(path, pageOf(RenewalJobSchema));
      return jobs?.items.find(settled) ?? null;
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

  async #connect(): Promise<void> {
    const agentUrl = this.stack.agentUrl ?? '';
    this.#client = await eventually('the bridge', WAIT_MS, () =>
      BridgeClient.hello({ agentUrl, origin: ORIGIN, clientId: CLIENT_ID, token: CLIENT_TOKEN }).catch(() => null),
    );
    void this.#serve(this.#client);
    this.#tellTabs();
  }

  /** Takes what the agent asks for until that socket is gone. */
  async #serve(client: BridgeClient): Promise<void> {
    const deliveries = async (): Promise<void> => {
      for (;;) {
        const frame = await client.next('browser.proxy_delivery', () => true, WAIT_MS * 10);
        this.asked.push({ at: Date.now(), frame });
        const answer = this.#answer(frame);
        if (answer === 'silence') continue;
        if (answer.failed !== true) this.taken(frame);
        client.answer(frame, answer);
      }
    };
    const readings = async (): Promise<void> => {
      for (;;) {
        const frame = await client.next('browser.read_current', () => true, WAIT_MS * 10);
        const said = this.#site.get(frame.conversation_id ?? '') ?? [];
        client.send({
          type: 'browser.action_result',
          request_id: frame.request_id,
          action: frame.type,
          accepted: true,
          completed: true,
          failed: false,
          reason: null,
          conversation: {
            conversation_id: frame.conversation_id,
            source: 'site',
            messages: said.map((text) => ({ role: 'user', message_id: null, text })),
          },
        });
      }
    };
    const ended = await Promise.race([deliveries(), readings()]).catch((error: unknown) => error);
    if (!this.#ended && !(ended instanceof Error)) throw new Error('the browser stopped answering');
  }

  #tellTabs(): void {
    this.#client?.send({
      type: 'browser.client_state',
      request_id: crypto.randomUUID(),
      tabs: this.#tabs.map((conversation) => ({ ...page(conversation), observed_at: Date.now() })),
      logins: PLATFORM_IDS.map((platform) => ({ platform, login: 'fresh' as const, fingerprint: 'ann' })),
      request_hooks: [],
    });
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

function page(conversation: string) {
  return {
    platform: platformOf(conversation),
    conversation_id: conversation,
    page_url: `https://claude.ai/chat/${conversation}`,
    page_title: conversation,
    tab_id: 17,
    shell_page: false,
  };
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
