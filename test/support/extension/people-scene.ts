/**
 * What a person sees, in a real Firefox with the built extension: a page under the real host name of a site, with a strict
 * content policy, and a real bridge of an agent. The edge behind it is a script that keeps a mode, one conversation and
 * approvals, and confirms a change only when the test lets it.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { extensionFiles } from '../../../extension/build/files.ts';
import type { ManifestVersion } from '../../../extension/build/manifest.ts';
import { EXTENSION_ID } from '../../../extension/build/manifest.ts';
import { SITES } from '../../../extension/sites/registry.ts';
import type { EdgeRequest } from '../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../local-agent/edge/http-client.ts';
import type { AutomationStatus } from '../../../schema/contracts/conversations.ts';
import type { SystemMode } from '../../../schema/contracts/system.ts';
import { approvalOf, BridgeFixture, CLIENT_TOKEN, conversation, ORIGIN } from '../../unit/agent/bridge/fixture.ts';
import { FirefoxTab } from '../sites/firefox-tab.ts';
import { Firefox } from '../sites/open-firefox.ts';
import { SitesServer } from '../sites/server.ts';
import type { FakeSite } from '../sites/site.ts';

export const CONVERSATION = '6f1c2f0e-5555-4222-8333-944455556666';
export const PAGE = `https://chatgpt.com/c/${CONVERSATION}`;
export const HOST = '[data-conductor-overlay]';
export const HASH = 'a'.repeat(64);
export const DISPLAY = 'exec on node-a\n  argv: ["git","push","ma\u202ein"]\n';

/** A page that allows no style and no script of its own text, and no HTML from text. */
const POLICY = "default-src 'none'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
const HTML =
  '<!doctype html><html><head><title>A chat</title></head><body><h1>A chat</h1><p>Please tidy the tests.</p></body></html>';

const site: FakeSite = {
  hosts: ['chatgpt.com'],
  handle(_request, response) {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY });
    response.end(HTML);
  },
};

/** The edge as far as people change it. */
class ScriptedEdge {
  mode: SystemMode = 'running';
  version = 1;
  status: AutomationStatus = 'auto';
  waiting: string[] = ['ins_1'];
  /** What waits at any node. */
  forNodes: object[] = [];
  /** What people asked for, in order. */
  readonly asked: string[] = [];
  /** A change is refused with this text. */
  refusal: string | null = null;

  respond({ method, path, body }: EdgeRequest<unknown>): unknown {
    if (method === 'POST') return this.#change(path, body);
    if (path === '/v1/notices/hours') return { quiet_hours: null, time_zone: 'UTC', waiting: this.forNodes };
    if (path.startsWith('/v1/instructions?')) {
      return { items: this.waiting.toReversed().map((id) => approvalOf(id)), next_cursor: null };
    }
    const id = path.split('/').at(-1) ?? '';
    if (path.startsWith('/v1/instructions/')) {
      const approval = { display: DISPLAY, approval_hash: HASH, cwd: null, env_names: [], file_hashes: {} };
      return { ...approvalOf(id), approval, approval_expires_in_ms: 600_000, events: [] };
    }
    const known = conversation({ remote_conversation_id: CONVERSATION, automation_status: this.status });
    if (path.includes('?')) return { items: [known], next_cursor: null };
    const at = Date.now() + 240_000;
    return { ...known, next_renewal: { due: false, at, reason: 'cooldown' } };
  }

  #change(path: string, body: unknown): unknown {
    this.asked.push(`${path} ${JSON.stringify(body)}`);
    if (this.refusal !== null) throw new EdgeError('status', 409, 'conflict', this.refusal);
    const verb = path.split('/').at(-1) ?? '';
    if (path.startsWith('/v1/system/')) {
      this.mode = verb === 'pause' ? 'paused' : 'running';
      this.version += 1;
      return { accepted: true, status: 'applied', summary: verb, mode: this.mode, version: this.version };
    }
    if (path.includes('/conversations/')) {
      this.status = verb as AutomationStatus;
      return conversation({ remote_conversation_id: CONVERSATION, automation_status: this.status });
    }
    this.waiting = this.waiting.filter((id) => !path.includes(id));
    return {};
  }
}

export interface PeopleScene {
  agent: BridgeFixture;
  edge: ScriptedEdge;
  firefox: Firefox;
  /** Opens the page in a tab; resolves when the overlay is there and shows a confirmed mode. */
  open(): Promise<FirefoxTab>;
  /** The windows in which something can be approved. */
  approvalWindows(): Promise<FirefoxTab[]>;
  /** The first of them, once there is one. */
  approvalWindow(): Promise<FirefoxTab>;
  /** The edge reports what it has changed, as its channel does. */
  announce(): Promise<void>;
}

async function builtExtension(
  agentUrl: string,
  { manifestVersion = 2, language = 'en', notices = false }: SceneOptions,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'conductor-extension-'));
  const source = resolve(import.meta.dirname, '../../../extension');
  const files = await extensionFiles(manifestVersion, { source, version: '0.0.1', sites: SITES });
  const texts = files.get(`_locales/${language}/messages.json`);
  if (texts === undefined) throw new Error(`the extension has no texts in ${language}`);
  files.set('_locales/en/messages.json', texts);
  for (const [path, contents] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
  const provision = { agent_url: agentUrl, client_id: 'firefox-1', token: CLIENT_TOKEN, headless: !notices };
  await writeFile(join(folder, 'provision.json'), JSON.stringify(provision));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface SceneOptions {
  /**
   * Whether the extension notifies, as in a Firefox with a window. Where the system shows no notifications, Firefox opens a
   * small window for each, which takes the focus: keys do not reach the page then.
   */
  notices?: boolean;
  manifestVersion?: ManifestVersion;
  /** The instructions that wait for an approval at the start; by default there is one. */
  waiting?: string[];
  /** The language of the texts; Firefox itself stays English. */
  language?: 'en' | 'zh_CN';
  preferences?: Record<string, string | number | boolean>;
}

export async function openPeopleScene(options: SceneOptions = {}): Promise<PeopleScene> {
  const agent = await BridgeFixture.start();
  const edge = new ScriptedEdge();
  edge.waiting = options.waiting ?? edge.waiting;
  agent.edge = (request) => edge.respond(request);
  agent.system.observe('running', 1, false);
  await agent.pin();
  await agent.side.approvals.refresh();
  const folder = await builtExtension(agent.url, options);
  const server = await SitesServer.start([site]);
  const uuids = JSON.stringify({ [EXTENSION_ID]: ORIGIN.replace('moz-extension://', '') });
  const firefox = await Firefox.start({
    port: server.port,
    preferences: { 'extensions.webextensions.uuids': uuids, ...options.preferences },
  });
  onTestFinished(async () => {
    await firefox.close();
    await server.stop();
  });
  await firefox.install(folder);
  const approvalWindows = async () => {
    const tabs = await firefox.bidi.tabs();
    const ofApprovals = tabs.filter(({ url }) => url.startsWith(`${ORIGIN}/options/options.html#approval=`));
    return ofApprovals.map(({ context }) => new FirefoxTab(firefox.bidi, context));
  };
  return {
    approvalWindows,
    approvalWindow: async () => {
      for (;;) {
        const [found] = await approvalWindows();
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    agent,
    edge,
    firefox,
    open: async () => {
      const tab = await firefox.openTab(PAGE);
      await tab.until((host) => document.querySelector(host) !== null, HOST);
      return tab;
    },
    announce: async () => {
      agent.system.observe(edge.mode, edge.version, false);
      await Promise.all([agent.side.approvals.refresh(), agent.side.conversations.reread(['lc_1'])]);
    },
  };
}

/** Where screenshots are left, for a person to look at; none without it. */
const SCREENSHOTS = process.env.CONDUCTOR_SCREENSHOTS;

export async function picture(tab: FirefoxTab, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await writeFile(join(SCREENSHOTS, `${name}.png`), await tab.screenshot());
}

/** Opens the options page from the open panel of a tab, as a person does: Firefox lets no test navigate there. */
export async function openOptions({ bidi }: Firefox, tab: FirefoxTab): Promise<FirefoxTab> {
  await tab.activate();
  await pressButton(tab, 'Options');
  for (;;) {
    const found = (await bidi.tabs()).find(({ url }) => url.endsWith('/options/options.html'));
    if (found !== undefined) return new FirefoxTab(bidi, found.context);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const LOOK_MS = 25;
const DEADLINE_MS = 120_000;

/** Looks until the overlay's text matches; gives the text. */
export async function overlayText(tab: FirefoxTab, pattern: RegExp): Promise<string> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const text = await tab.inShadow(HOST, (root) => root.textContent).catch(() => '');
    if (text !== null && pattern.test(text)) return text;
    if (Date.now() > deadline) throw new Error(`the overlay did not come to ${pattern}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Presses the button with that text or label by the mouse, as a person does. */
export async function pressButton(tab: FirefoxTab, label: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const isThere = await tab.inShadow(
      HOST,
      (root, wanted) => {
        for (const old of root.querySelectorAll('[data-test]')) old.removeAttribute('data-test');
        const found = [...root.querySelectorAll('button')].find(
          (button) => button.textContent === wanted || button.getAttribute('aria-label')?.startsWith(wanted),
        );
        if (found?.getAttribute('aria-disabled') === 'true') return false;
        found?.setAttribute('data-test', '');
        return found !== undefined;
      },
      label,
    );
    if (isThere) break;
    if (Date.now() > deadline) throw new Error(`the overlay has no button ${label}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await tab.clickInShadow(HOST, '[data-test]');
}
