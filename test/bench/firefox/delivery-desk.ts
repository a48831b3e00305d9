/** Orders deliveries of the extension over the agent's real bridge. */
import { SITES } from '../../../extension/sites/registry.ts';
import type { ActionResult } from '../../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import type { BridgeAgent } from '../../support/extension/bridge-agent.ts';
import { orderOf } from '../../support/extension/delivery-scene.ts';

export interface DeskOrder {
  platform: Platform;
  /** The address of the conversation. */
  url: string;
  text: string;
  client_id: string;
}

export class DeliveryDesk {
  readonly #agent: BridgeAgent;
  readonly #waiting = new Map<string, (result: ActionResult) => void>();
  #orders = 0;

  constructor(agent: BridgeAgent) {
    this.#agent = agent;
    const { delivery } = agent.side;
    const take = delivery.onActionResult.bind(delivery);
    delivery.onActionResult = (clientId, frame) => {
      this.#waiting.get(frame.request_id)?.(frame);
      take(clientId, frame);
    };
  }

  /** Resolves when the extension has reported the message as delivered. @throws Error when it has not */
  async deliver({ platform, url, text, client_id }: DeskOrder): Promise<void> {
    this.#orders += 1;
    const ids = { request_id: `bench-${this.#orders}`, plan_id: `bench-${this.#orders}` };
    const conversation_id =
      SITES.find((site) => site.platform === platform)?.wire.addressOf(new URL(url)).conversationId ?? null;
    const where = { platform, client_id, conversation_id, page_url: url, tab_id: null };
    const result = new Promise<ActionResult>((resolve) => this.#waiting.set(ids.request_id, resolve));
    this.#agent.side.connected.send(client_id, { ...orderOf(), ...where, ...ids, message_text: text });
    const { failed, reason } = await result;
    this.#waiting.delete(ids.request_id);
    if (failed) throw new Error(`${text} was not delivered: ${reason}`);
  }
}
