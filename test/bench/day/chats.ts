/**
 * The browser of one node through a day: a chat on each site, whose assistant writes two instructions in each message. Its reply
 * brings the next one; after every fourth the assistant says that it is done, and the renewal brings the next.
 */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { Platform } from '../../../schema/contracts/common.ts';
import { PLATFORM_IDS } from '../../../schema/contracts/common.ts';
import { TokenCreatedSchema } from '../../../schema/contracts/tokens.ts';
import type { Page } from '../../support/test-browser.ts';
import { ORIGIN, pageOf, TestBrowser } from '../../support/test-browser.ts';
import type { DayClock } from './day-clock.ts';
import type { DayNode, DaySystem } from './system.ts';

export const HOURS = 24;
const MESSAGES_PER_RENEWAL = 4;
const GIVE_UP_MS = 120_000;
const LOOK_MS = 20;
/** What an assistant writes around its instructions. */
const PROSE = 'The change is small, and the test shows it. '.repeat(40);

export interface Tally {
  messages: number;
  replies: number;
  /** Messages that ask for a renewal, and renewals. */
  renewable: number;
  renewals: number;
  /** From a message to its reply in the browser. */
  replyMs: number[];
  /** Of the browser. */
  reconnects: number;
}

const ConversationsSchema = z.object({ items: z.array(z.looseObject({ local_conversation_id: z.string() })) });

export class Chats {
  readonly tally: Tally = { messages: 0, replies: 0, renewable: 0, renewals: 0, replyMs: [], reconnects: 0 };
  readonly #system: DaySystem;
  readonly #node: DayNode;
  readonly #token: string;
  readonly #pages: ReadonlyMap<Platform, Page>;
  /** What each chat has received, as its site holds it. */
  readonly #received = new Map<string, string[]>();
  #browser: TestBrowser;

  private constructor(system: DaySystem, node: DayNode, token: string, browser: TestBrowser) {
    this.#system = system;
    this.#node = node;
    this.#token = token;
    this.#browser = browser;
    this.#pages = new Map(
      PLATFORM_IDS.map((platform, tab) => [platform, pageOf(`${node.id}-${platform}`, platform, tab + 1)]),
    );
    this.#serve();
  }

  /** Pairs and connects a browser; its chats are `auto`. */
  static async open(system: DaySystem, node: DayNode): Promise<Chats> {
    const client_id = `firefox-${node.id}`;
    const created = await system.call('POST', '/v1/tokens', { role: 'browser_admin', subject: client_id });
    const { token } = TokenCreatedSchema.parse(created);
    await system.local(node, 'POST', '/v1/pairings', { origin: ORIGIN, client_id, token });
    const chats = new Chats(system, node, token, await connected(node, token));
    for (const platform of PLATFORM_IDS) await chats.#setAuto(platform);
    return chats;
  }

  /** So many messages with instructions in the day, evenly, by all chats together. */
  async work(clock: DayClock, messages: number, hours: number): Promise<void> {
    const apart = (HOURS / messages) * PLATFORM_IDS.length;
    await Promise.all(
      PLATFORM_IDS.map(async (platform, at) => {
        for (let n = 0; ; n += 1) {
          const hour = (n + at / PLATFORM_IDS.length) * apart;
          if (hour >= hours) return;
          await clock.until(hour);
          await this.#exchange(platform, n);
        }
      }),
    );
  }

  /** The browser is closed and started again. */
  async reconnect(): Promise<void> {
    await this.#browser.close();
    this.#browser = await connected(this.#node, this.#token);
    this.#serve();
    this.tally.reconnects += 1;
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  async #exchange(platform: Platform, n: number): Promise<void> {
    const began = performance.now();
    await this.#says(platform, `${n}-works`, `Step ${n}. ${PROSE}\n\n${instructions(n)}`);
    this.tally.messages += 1;
    if (!(await this.#receives(platform))) return;
    this.tally.replyMs.push(performance.now() - began);
    this.tally.replies += 1;
    if (n % MESSAGES_PER_RENEWAL !== MESSAGES_PER_RENEWAL - 1) return;
    await this.#says(platform, `${n}-done`, `Step ${n} is done. ${PROSE}`);
    this.tally.renewable += 1;
    if (await this.#receives(platform)) this.tally.renewals += 1;
  }

  /** Says it again, as the extension does, when the browser was closed meanwhile. */
  async #says(platform: Platform, id: string, said: string): Promise<void> {
    const page = this.#pages.get(platform);
    this.#received.set(this.#key(platform), []);
    for (;;) {
      const browser = this.#browser;
      const isSaid = await browser.says(`${platform}-${id}`, said, { page }).then(
        () => true,
        () => false,
      );
      if (isSaid) return;
      while (this.#browser === browser) await setTimeout(LOOK_MS);
    }
  }

  /** Whether the chat has received something since the assistant spoke, within a time that is longer than any retry. */
  async #receives(platform: Platform): Promise<boolean> {
    const until = performance.now() + GIVE_UP_MS;
    while (this.#received.get(this.#key(platform))?.length === 0) {
      if (performance.now() > until) return false;
      await setTimeout(LOOK_MS);
    }
    return true;
  }

  #serve(): void {
    this.#browser.serveDeliveries(({ conversation_id, message_text }) => {
      this.#received.get(conversation_id ?? '')?.push(message_text);
      return {};
    });
    this.#browser.serveReadings((conversation) => this.#received.get(conversation ?? '') ?? []);
    this.#browser.show(...this.#pages.values());
  }

  #key(platform: Platform): string {
    return `${this.#node.id}-${platform}`;
  }

  async #setAuto(platform: Platform): Promise<void> {
    const path = `/v1/renewal/conversations?platform=${platform}&remote_conversation_id=${this.#key(platform)}`;
    for (;;) {
      const [found] = ConversationsSchema.parse(await this.#system.call('GET', path)).items;
      if (found)
        return void (await this.#system.call(
          'POST',
          `/v1/renewal/conversations/${found.local_conversation_id}/auto`,
          {},
        ));
      await setTimeout(LOOK_MS);
    }
  }
}

function connected({ id, localApi }: DayNode, token: string): Promise<TestBrowser> {
  return TestBrowser.connect({ agentUrl: localApi, clientId: `firefox-${id}`, token });
}

function instructions(n: number): string {
  const write = { overwrite: true, path: `notes/${n % 50}.md`, content: `# Step ${n}\n\n${PROSE}` };
  return [
    '```baa',
    `@conductor::files/write::${JSON.stringify(write)}`,
    `@conductor::exec::${JSON.stringify({ argv: ['echo', `step ${n}`] })}`,
    '```',
  ].join('\n');
}
