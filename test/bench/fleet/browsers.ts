/** Browsers over real sockets that note when each delivery came, and answer it as delivered a second later. */
import { BridgeClient } from '../../../local-agent/stack/bridge-client.ts';
import type { FastClock } from './fast-clock.ts';

export const ORIGIN = 'moz-extension://6f1c2f0e-1111-4222-8333-944455556666';
export const TOKEN = 'the-token-of-the-fleet';
const ANSWER_MS = 1_000;
/** The whole run may pass between two deliveries of one browser. */
const PATIENCE_MS = 3_600_000;

export interface Received {
  clientId: string;
  conversation: string;
  planId: string;
  /** Simulated time, Unix milliseconds. */
  at: number;
}

export class Browsers {
  readonly received: Received[] = [];
  readonly #clock: FastClock;
  readonly #clients: BridgeClient[] = [];

  constructor(clock: FastClock) {
    this.#clock = clock;
  }

  async connect(agentUrl: string, clientIds: readonly string[]): Promise<void> {
    for (const clientId of clientIds) {
      const client = await BridgeClient.hello({ agentUrl, origin: ORIGIN, clientId, token: TOKEN });
      this.#clients.push(client);
      // It ends with its socket.
      this.#serve(clientId, client).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #serve(clientId: string, client: BridgeClient): Promise<void> {
    for (;;) {
      const delivery = await client.next('browser.proxy_delivery', () => true, PATIENCE_MS);
      const { conversation_id, plan_id: planId } = delivery;
      this.received.push({ clientId, conversation: conversation_id ?? '', planId, at: this.#clock.now() });
      this.#clock.after(ANSWER_MS, () => client.answer(delivery));
    }
  }
}
