/** A browser at a node of a cluster: paired, connected, with one chat open. */

import { BridgeClient } from '../../local-agent/stack/bridge-client.ts';
import type { ProxyDelivery } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import type { Cluster, TestNode } from './cluster.ts';

const ORIGIN = 'moz-extension://3f1b7c1e-5a0e-4c39-9d3b-0b8f6a2d4c11';
function pageOf(conversation: string) {
  return {
    platform: 'claude',
    conversation_id: conversation,
    page_url: `https://claude.ai/chat/${conversation}`,
    page_title: 'A chat',
    tab_id: 17,
    shell_page: false,
  } as const;
}
const WAIT_MS = 60_000;

export function block(instruction: string): string {
  return ['```baa', instruction, '```'].join('\n');
}

export class Browser {
  readonly client: BridgeClient;
  readonly #clientId: string;
  readonly #page: ReturnType<typeof pageOf>;

  /** Pairs and connects anew, as after a restart of either side. */
  static async open(
    cluster: Cluster,
    node: TestNode,
    conversation = 'conversation-1',
    platforms: Platform[] = [...PLATFORM_IDS],
  ): Promise<Browser> {
    const clientId = `firefox-${node.id}`;
    const grant = { role: 'browser_admin', subject: clientId };
    const { token } = await cluster.call<{ token: string }>('POST', '/v1/tokens', grant);
    const paired = await fetch(`${node.localApi}/v1/pairings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${node.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ origin: ORIGIN, client_id: clientId, token }),
    });
    if (!paired.ok) throw new Error(`the browser was not paired: ${await paired.text()}`);
    const browser = new Browser(
      await BridgeClient.hello({ agentUrl: node.localApi, origin: ORIGIN, clientId, token, platforms }),
      clientId,
      conversation,
    );
    browser.client.send({
      type: 'browser.client_state',
      request_id: `tabs-${crypto.randomUUID()}`,
      tabs: [{ ...pageOf(conversation), observed_at: Date.now() }],
      logins: [{ platform: pageOf(conversation).platform, login: 'fresh', fingerprint: null }],
      request_hooks: [],
    });
    return browser;
  }

  private constructor(client: BridgeClient, clientId: string, conversation: string) {
    this.client = client;
    this.#page = pageOf(conversation);
    this.#clientId = clientId;
  }

  /**
   * The page shows a finished answer of the assistant; resolves when the agent has it on disk. When it is not named, the
   * page did not tell the message's id.
   */
  async says(id: string, text: string, isNamed = true): Promise<void> {
    const request_id = `say-${id}-${crypto.randomUUID()}`;
    const acknowledged = this.client.next('message_ack', (frame) => frame.request_id === request_id);
    this.client.send({
      type: 'browser.final_message',
      request_id,
      client_id: this.#clientId,
      ...this.#page,
      ...(isNamed && { assistant_message_id: id }),
      raw_text: text,
      role: 'assistant',
      observed_at: Date.now(),
      capture: { source: 'network', other: 'agrees' },
    });
    await acknowledged;
  }

  /** What it is asked to send next; it does, with the platform's own 200 as evidence. */
  async delivers(): Promise<ProxyDelivery> {
    const asked = await this.client.next('browser.proxy_delivery', () => true, WAIT_MS);
    this.client.answer(asked);
    return asked;
  }

  /** Deliveries that it was asked for and that no test has taken. */
  unasked(): number {
    return this.client.kept('browser.proxy_delivery').length;
  }
}
