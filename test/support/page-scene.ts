/** The status page in a real Firefox, with a real edge, a real agent and a browser that the test plays. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Platform } from '../../schema/contracts/common.ts';
import type { Conversation } from '../../schema/contracts/conversations.ts';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import type { TaskDetail } from '../../schema/contracts/tasks.ts';
import type { SignInLink } from '../../schema/contracts/tokens.ts';
import { block, openBrowser } from './browser.ts';
import type { TestNode } from './cluster.ts';
import { Cluster, until } from './cluster.ts';
import { newRepo } from './git-repo.ts';
import { Receiver } from './receiver.ts';
import type { FirefoxTab } from './sites/firefox-tab.ts';
import { Firefox } from './sites/open-firefox.ts';
import type { DeliveryResponse, Page, TestBrowser } from './test-browser.ts';
import { pageOf } from './test-browser.ts';

/** Runs a script where a text is taken for HTML, and moves or hides text where it is taken as it is. */
export const HOSTILE =
  '<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>\u202e\u001b]0;title\u0007';

const POLICY = {
  exec: {
    default: 'ask',
    shell: 'ask',
    rules: ['sleep', 'printf'].map((program) => ({ match: { argv: [program, '*'] }, decision: 'allow' })),
  },
  tools: { 'browser.*/*': 'allow' },
};
const VARS = { BAA_TIMED_JOBS_SETTLE_DELAY_MS: '300', BAA_NOTICES_LOCAL: '1' };
/** Pages may show notifications, without a question. */
const PREFERENCES = {
  'intl.accept_languages': 'en-US',
  'ui.prefersReducedMotion': 1,
  'permissions.default.desktop-notification': 1,
};
/** Above the tab of the first conversation. */
const FIRST_TAB = 17;
const WIDE = { width: 1_200, height: 900 };

export class PageScene {
  readonly cluster: Cluster;
  readonly node: TestNode;
  readonly browser: TestBrowser;
  readonly firefox: Firefox;
  readonly tab: FirefoxTab;
  /** What the browser reports of each delivery, where `deliveryTo` has nothing for its conversation. */
  delivery: DeliveryResponse = {};
  /** What it reports of those to a conversation, by the id at its site. */
  readonly deliveryTo = new Map<string, DeliveryResponse>();
  /** Takes the notices that are sent to it. */
  readonly receiver: Receiver;
  #answers = 0;
  readonly #tabs = [pageOf('a-chat', 'claude')];
  readonly #given = new Set<string>();

  static async start(): Promise<PageScene> {
    const cluster = await Cluster.start(VARS);
    const node = await cluster.node('host-a');
    mkdirSync(join(node.root, 'workspace'), { recursive: true });
    const repo = newRepo(join(cluster.stack.layout.root, 'repo'));
    writeFileSync(join(node.root, 'config.toml'), `[repos]\napp = ${JSON.stringify(repo)}\n`, { mode: 0o600 });
    writeFileSync(join(node.root, 'policy.json'), JSON.stringify(POLICY));
    await node.start();
    const browser = await openBrowser(cluster, node, 'a-chat');
    // No chat site is needed: the port leads nowhere.
    const firefox = await Firefox.start({ port: 1, preferences: PREFERENCES });
    const { sign_in_url } = await cluster.call<SignInLink>('POST', '/v1/session/links', {});
    const tab = await firefox.openTab(sign_in_url);
    await tab.setViewport(WIDE.width, WIDE.height);
    return new PageScene(cluster, node, browser, firefox, tab, await Receiver.open());
  }

  private constructor(
    cluster: Cluster,
    node: TestNode,
    browser: TestBrowser,
    firefox: Firefox,
    tab: FirefoxTab,
    receiver: Receiver,
  ) {
    this.cluster = cluster;
    this.node = node;
    this.browser = browser;
    this.firefox = firefox;
    this.tab = tab;
    this.receiver = receiver;
    browser.serveDeliveries(({ conversation_id: to }) => this.deliveryTo.get(to ?? '') ?? this.delivery);
  }

  async stop(): Promise<void> {
    await this.firefox.close();
    await this.browser.close();
    await this.cluster.stop();
    this.receiver.close();
  }

  async at(path: string): Promise<void> {
    await this.tab.open(`${this.cluster.stack.edgeUrl}${path}`);
    await this.tab
      .until(
        () =>
          document.querySelector('main h1, main [role=alert]') !== null && document.querySelector('.loading') === null,
      )
      .catch(async (cause: unknown) => {
        const shown = await this.tab.evaluate(() => document.body.innerText);
        throw new Error(`${path} does not show all that it has, but: ${shown}`, { cause });
      });
  }

  async wide(): Promise<void> {
    await this.tab.setViewport(WIDE.width, WIDE.height);
  }

  /** Opens a page beside those that are open, or in the place of the one that shows the same conversation. */
  show(page: Page): void {
    const at = this.#tabs.findIndex(({ conversation_id }) => conversation_id === page.conversation_id);
    this.#tabs.splice(at < 0 ? this.#tabs.length : at, 1, page);
    this.browser.show(...this.#tabs);
  }

  /** A new conversation, whose tab stays open: its id at the edge. */
  async conversation(remote: string, platform: Platform = 'claude'): Promise<string> {
    this.show(pageOf(remote, platform, FIRST_TAB + this.#tabs.length));
    const list = `/v1/renewal/conversations?platform=${platform}&remote_conversation_id=${remote}`;
    const found = await until(async () => {
      const { items } = await this.cluster.call<{ items: Conversation[] }>('GET', list);
      return items.find(({ remote_conversation_id }) => remote_conversation_id === remote);
    });
    return found.local_conversation_id;
  }

  /** The assistant finishes a message in that conversation. */
  says(text: string, remote = 'a-chat'): Promise<void> {
    this.#answers += 1;
    const page = this.#tabs.find(({ conversation_id }) => conversation_id === remote);
    return this.browser.says(`answer-${this.#answers}`, text, { page });
  }

  /** The instruction of a new answer of the assistant, once it has that status. */
  async instruction(call: string, status: Instruction['status'], remote?: string): Promise<Instruction> {
    const since = Date.now();
    await this.says(block(call), remote);
    return this.instructionThatIs(status, since);
  }

  /** The newest instruction with that status which was not given before, once there is one. */
  async instructionThatIs(status: Instruction['status'], since = 0): Promise<Instruction> {
    const found = await until(async () => {
      const { items } = await this.cluster.call<{ items: Instruction[] }>('GET', `/v1/instructions?status=${status}`);
      return items.find(({ instruction_id: id, created_at }) => created_at >= since && !this.#given.has(id));
    });
    this.#given.add(found.instruction_id);
    return found;
  }

  async instructionNow(id: string): Promise<Instruction> {
    return this.cluster.call<Instruction>('GET', `/v1/instructions/${id}`);
  }

  /** A new task with one step, which is a script unless the step has another kind. */
  async newTask(title: string, step: object, more: object = {}): Promise<string> {
    const steps = [{ kind: 'shell', name: 'the step', max_attempts: 1, ...step }];
    const body = { task_type: 'shell', title, goal: 'A test.', steps, ...more };
    return (await this.cluster.call<{ task_id: string }>('POST', '/v1/tasks', body)).task_id;
  }

  taskIs(taskId: string, is: (task: TaskDetail) => boolean): Promise<TaskDetail> {
    return until(async () => {
      const task = await this.cluster.call<TaskDetail>('GET', `/v1/tasks/${taskId}`);
      return is(task) && task;
    });
  }
}
