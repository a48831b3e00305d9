/** Everything of a delivery in a real Firefox: the built extension, the agent's bridge, the fake sites. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManifestVersion } from '../../../extension/build/manifest.ts';
import type { AttemptEnd } from '../../../local-agent/delivery/outcome.ts';
import { readActionResult } from '../../../local-agent/delivery/outcome.ts';
import type { ActionResult, ProxyDelivery, ReadCurrent } from '../../../schema/contracts/bridge-frames.ts';
import { ChatgptSite } from '../sites/chatgpt/chatgpt-site.ts';
import { defaultControl } from '../sites/chatgpt/turn.ts';
import { FakeClaude } from '../sites/claude/fake-claude.ts';
import type { FirefoxTab } from '../sites/firefox-tab.ts';
import { FakeGemini } from '../sites/gemini/gemini.ts';
import { Firefox } from '../sites/open-firefox.ts';
import { SitesServer } from '../sites/server.ts';
import { until } from '../until.ts';
import { BridgeAgent, CLIENT } from './bridge-agent.ts';
import { orderOf } from './delivery-scene.ts';
import { buildExtension, EXTENSION_ORIGIN, EXTENSION_PREFERENCES } from './installed.ts';

/** Longer than any order needs, on a busy machine as well. */
const ORDER_MS = 60_000;

interface Sites {
  chatgpt: ChatgptSite;
  claude: FakeClaude;
  gemini: FakeGemini;
}

export class DeliveryRig {
  readonly chatgpt: ChatgptSite;
  readonly claude: FakeClaude;
  readonly gemini: FakeGemini;
  readonly firefox: Firefox;
  readonly #folder: string;
  readonly #agent: BridgeAgent;
  readonly #server: SitesServer;
  readonly #results: ActionResult[] = [];
  #orders = 0;

  private constructor(folder: string, agent: BridgeAgent, server: SitesServer, firefox: Firefox, sites: Sites) {
    this.#folder = folder;
    this.#agent = agent;
    this.#server = server;
    this.firefox = firefox;
    ({ chatgpt: this.chatgpt, claude: this.claude, gemini: this.gemini } = sites);
  }

  static async start(manifest: ManifestVersion): Promise<DeliveryRig> {
    const folder = await mkdtemp(join(tmpdir(), 'conductor-delivery-'));
    const agent = new BridgeAgent(folder, EXTENSION_ORIGIN);
    await agent.start();
    const sites: Sites = {
      chatgpt: new ChatgptSite(),
      claude: new FakeClaude({ accounts: 'merged' }),
      gemini: new FakeGemini(),
    };
    const server = await SitesServer.start(Object.values(sites));
    const firefox = await Firefox.start({
      port: server.port,
      wire: agent.wire,
      preferences: EXTENSION_PREFERENCES,
    });
    const rig = new DeliveryRig(folder, agent, server, firefox, sites);
    await buildExtension(join(folder, 'extension'), agent.url, manifest);
    await rig.restartExtension();
    return rig;
  }

  /** Installs the extension, or the same one again: its background page ends and begins with what storage has kept. */
  async restartExtension(): Promise<void> {
    const { connected, delivery } = this.#agent.side;
    const [earlier] = connected.all();
    await this.firefox.install(join(this.#folder, 'extension'));
    await until(() => {
      const [now] = connected.all();
      return now !== undefined && now !== earlier;
    });
    const take = delivery.onActionResult.bind(delivery);
    if (Object.hasOwn(delivery, 'onActionResult')) return;
    delivery.onActionResult = (clientId, frame) => {
      this.#results.push(frame);
      take(clientId, frame);
    };
  }

  async stop(): Promise<unknown[]> {
    await this.firefox.close();
    await this.#server.stop();
    await this.#agent.stop();
    await rm(this.#folder, { recursive: true, force: true });
    return this.#server.errors;
  }

  reset(): void {
    Object.assign(this.chatgpt.control, defaultControl());
    this.chatgpt.sent.length = 0;
    this.claude.answers.length = 0;
  }

  /** A conversation of the fake ChatGPT, and a tab that shows it with its composer. */
  async openConversation(): Promise<{ id: string; tab: FirefoxTab }> {
    const { id } = this.chatgpt.addConversation('begin', { text: 'Begun.' });
    return { id, tab: await this.openTab(id) };
  }

  async openTab(conversationId: string): Promise<FirefoxTab> {
    const tab = await this.firefox.openTab(`https://chatgpt.com/c/${conversationId}`);
    await tab.until(() => document.querySelector('#prompt-textarea') !== null);
    await tab.until(() => document.querySelector('#thread')?.textContent?.includes('Begun.'));
    return tab;
  }

  /** Sends an order to the extension. Returns its request id. */
  send(conversationId: string | null, more: Partial<ProxyDelivery> = {}): string {
    this.#orders += 1;
    const ids = { request_id: `r${this.#orders}`, plan_id: `p${this.#orders}` };
    const page_url = `https://chatgpt.com/${conversationId === null ? '' : `c/${conversationId}`}`;
    const own = { ...ids, conversation_id: conversationId, tab_id: null, page_url, client_id: CLIENT.client_id };
    const frame = { ...orderOf({ timeout_ms: ORDER_MS }), ...own, ...more };
    this.#agent.side.connected.send(CLIENT.client_id, frame);
    return frame.request_id;
  }

  async result(requestId: string): Promise<ActionResult> {
    await until(() => this.#results.some(({ request_id }) => request_id === requestId));
    const found = this.#results.find(({ request_id }) => request_id === requestId);
    if (!found) throw new Error('there is no result');
    return found;
  }

  /** What the agent makes of the result. */
  async end(requestId: string): Promise<AttemptEnd | null> {
    return readActionResult(await this.result(requestId));
  }

  async deliver(conversationId: string | null, more: Partial<ProxyDelivery> = {}): Promise<AttemptEnd | null> {
    return await this.end(this.send(conversationId, more));
  }

  async read(conversationId: string | null): Promise<ActionResult> {
    this.#orders += 1;
    const request_id = `r${this.#orders}`;
    const page_url = `https://chatgpt.com/c/${conversationId}`;
    const frame: ReadCurrent = {
      type: 'browser.read_current',
      request_id,
      platform: 'chatgpt',
      client_id: CLIENT.client_id,
      tab_id: null,
      conversation_id: conversationId,
      organization_id: null,
      page_url,
      timeout_ms: ORDER_MS,
    };
    this.#agent.side.connected.send(CLIENT.client_id, frame);
    return await this.result(request_id);
  }

  /** How many final messages the agent has got. */
  get finals(): number {
    return this.#agent.messages.length;
  }

  /** The texts that the fake ChatGPT has received. */
  get received(): string[] {
    return this.chatgpt.sent.map(({ text }) => text);
  }
}
