/** Browsers over real sockets that note when each delivery arrives, and respond as delivered a second later. */
import { TestBrowser } from '../../support/test-browser.ts';
import type { FastClock } from './fast-clock.ts';

export const TOKEN = 'the-token-of-the-fleet';
const RESPONSE_MS = 1_000;

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
  readonly #browsers: TestBrowser[] = [];

  constructor(clock: FastClock) {
    this.#clock = clock;
  }

  async connect(agentUrl: string, clientIds: readonly string[]): Promise<void> {
    for (const clientId of clientIds) {
      const browser = await TestBrowser.connect({ agentUrl, clientId, token: TOKEN });
      this.#browsers.push(browser);
      browser.serveDeliveries(async ({ conversation_id, plan_id: planId }) => {
        this.received.push({ clientId, conversation: conversation_id ?? '', planId, at: this.#clock.now() });
        await this.#clock.sleep(RESPONSE_MS);
        return {};
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#browsers.map((browser) => browser.close()));
  }
}
