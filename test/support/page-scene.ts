/** The status page in a real Firefox, with a real edge, a real agent and a browser that the test plays. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import type { TaskDetail } from '../../schema/contracts/tasks.ts';
import type { SignInLink } from '../../schema/contracts/tokens.ts';
import { openBrowser } from './browser.ts';
import type { TestNode } from './cluster.ts';
import { Cluster, until } from './cluster.ts';
import { newRepo } from './git-repo.ts';
import type { FirefoxTab } from './sites/firefox-tab.ts';
import { Firefox } from './sites/open-firefox.ts';
import type { DeliveryResponse, TestBrowser } from './test-browser.ts';

/** Runs a script where a text is taken for HTML, and moves or hides text where it is taken as it is. */
export const HOSTILE =
  '<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=1</script>\u202e\u001b]0;title\u0007';

const POLICY = {
  exec: {
    default: 'ask',
    shell: 'ask',
    rules: ['sleep', 'printf'].map((program) => ({ match: { argv: [program, '*'] }, decision: 'allow' })),
  },
};
const WIDE = { width: 1_200, height: 900 };

export class PageScene {
  readonly cluster: Cluster;
  readonly node: TestNode;
  readonly browser: TestBrowser;
  readonly firefox: Firefox;
  readonly tab: FirefoxTab;
  /** What the browser reports of each delivery. */
  delivery: DeliveryResponse = {};
  #answers = 0;
  readonly #given = new Set<string>();

  static async start(): Promise<PageScene> {
    const cluster = await Cluster.start();
    const node = await cluster.node('host-a');
    mkdirSync(join(node.root, 'workspace'), { recursive: true });
    const repo = newRepo(join(cluster.stack.layout.root, 'repo'));
    writeFileSync(join(node.root, 'config.toml'), `[repos]\napp = ${JSON.stringify(repo)}\n`, { mode: 0o600 });
    writeFileSync(join(node.root, 'policy.json'), JSON.stringify(POLICY));
    await node.start();
    const browser = await openBrowser(cluster, node, 'a-chat');
    // No chat site is needed: the port leads nowhere.
    const preferences = { 'intl.accept_languages': 'en-US', 'ui.prefersReducedMotion': 1 };
    const firefox = await Firefox.start({ port: 1, preferences });
    const { sign_in_url } = await cluster.call<SignInLink>('POST', '/v1/session/links', {});
    const tab = await firefox.openTab(sign_in_url);
    await tab.setViewport(WIDE.width, WIDE.height);
    return new PageScene(cluster, node, browser, firefox, tab);
  }

  private constructor(cluster: Cluster, node: TestNode, browser: TestBrowser, firefox: Firefox, tab: FirefoxTab) {
    this.cluster = cluster;
    this.node = node;
    this.browser = browser;
    this.firefox = firefox;
    this.tab = tab;
    browser.serveDeliveries(() => this.delivery);
  }

  async stop(): Promise<void> {
    await this.firefox.close();
    await this.browser.close();
    await this.cluster.stop();
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

  /** The instruction of a new answer of the assistant, once it has that status. */
  async instruction(call: string, status: Instruction['status']): Promise<Instruction> {
    this.#answers += 1;
    await this.browser.says(`answer-${this.#answers}`, ['```baa', call, '```'].join('\n'));
    const found = await until(async () => {
      const list = `/v1/instructions?status=${status}&limit=1`;
      const { items } = await this.cluster.call<{ items: Instruction[] }>('GET', list);
      return items.find(({ instruction_id }) => !this.#given.has(instruction_id));
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
