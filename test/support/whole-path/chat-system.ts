/**
 * A whole system as a person has it: edge and agent, a Firefox started by `conductor firefox`, and the three chat sites
 * (fakes under the real host names). A test speaks as the person in the page and reads what the servers received.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { Bidi } from '../../../local-agent/firefox/bidi.ts';
import { EdgeApi } from '../../../local-agent/stack/edge-api.ts';
import { REPOSITORY } from '../../../local-agent/stack/layout.ts';
import type { Stack } from '../../../local-agent/stack/stack.ts';
import { startStack } from '../../../local-agent/stack/stack.ts';
import { BridgeWire } from '../sites/bridge-wire.ts';
import { FirefoxTab } from '../sites/firefox-tab.ts';
import { forcedPorts } from '../sites/open-firefox.ts';
import { SITE_HOSTS, SitesServer } from '../sites/server.ts';
import { runLine } from '../system.ts';
import type { ChatSite } from './chat-sites.ts';

const ReadySchema = z.object({
  ready: z.literal(true),
  pid: z.number(),
  bidi_url: z.string(),
  extension_origin: z.string(),
  client_id: z.string(),
});
type Ready = z.infer<typeof ReadySchema>;

export interface ChatSystemOptions {
  sites: readonly ChatSite[];
  manifest: 2 | 3;
  /** With a window, on the display of the caller. */
  visible?: boolean;
  /** Variables of the Worker. */
  vars?: Record<string, string>;
}

const POLICY = {
  exec: { default: 'ask', rules: [{ match: { argv: ['echo', '*'] }, decision: 'allow' }], shell: 'deny' },
  tools: { 'files/write': 'allow', 'files/read': 'allow' },
};

/** What a program needs to open a window. */
function displayOf({ DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, XDG_RUNTIME_DIR }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, XDG_RUNTIME_DIR };
}

/** `conductor firefox`, as a process. */
class FirefoxCommand {
  readonly ready: Ready;
  readonly #end: () => Promise<number | null>;

  private constructor(ready: Ready, end: () => Promise<number | null>) {
    this.ready = ready;
    this.#end = end;
  }

  static async start(root: string, home: string, options: readonly string[]): Promise<FirefoxCommand> {
    const child = spawn(
      process.execPath,
      [join(REPOSITORY, 'local-agent/cli.ts'), 'firefox', '--root', root, '--bidi', '--json', ...options],
      {
        env: {
          ...displayOf(process.env),
          PATH: process.env.PATH,
          HOME: home,
          MOZ_DISABLE_NONLOCAL_CONNECTIONS: '1',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const complaints: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const line = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const first = await Promise.race([line, ended.then(() => null)]);
    if (first === null) throw new Error(`conductor firefox has ended: ${complaints.join('\n')}`);
    return new FirefoxCommand(ReadySchema.parse(JSON.parse(first)), () => {
      child.kill('SIGTERM');
      return ended;
    });
  }

  end(): Promise<number | null> {
    return this.#end();
  }
}

export class ChatSystem {
  readonly stack: Stack;
  readonly api: EdgeApi;
  readonly root: string;
  readonly workspace: string;
  readonly server: SitesServer;
  readonly wire: BridgeWire;
  readonly #home: string;
  readonly #options: ChatSystemOptions;
  #firefox: { command: FirefoxCommand; bidi: Bidi } | null = null;

  private constructor(stack: Stack, server: SitesServer, home: string, options: ChatSystemOptions) {
    this.stack = stack;
    this.server = server;
    this.root = stack.layout.root;
    this.workspace = join(this.root, 'workspace');
    this.api = new EdgeApi(stack.edgeUrl, readFileSync(stack.layout.operatorFile, 'utf8').trim());
    this.wire = new BridgeWire(() => stack.agentUrl);
    this.#home = home;
    this.#options = options;
  }

  static async start(options: ChatSystemOptions): Promise<ChatSystem> {
    const home = mkdtempSync(join(tmpdir(), 'conductor-whole-'));
    const root = join(home, '.baa');
    mkdirSync(root, { mode: 0o700 });
    writeFileSync(join(root, 'policy.json'), JSON.stringify(POLICY), { mode: 0o600 });
    const vars = { BAA_TIMED_JOBS_SETTLE_DELAY_MS: '500', ...options.vars };
    const where = { root, port: 0, agentPort: 0, nodeId: 'this-host', host: 'localhost', agent: true };
    const stack = await startStack({ ...where, vars }, () => undefined);
    const server = await SitesServer.start(options.sites.map(({ site }) => site));
    const system = new ChatSystem(stack, server, home, options);
    await system.wire.open();
    await system.startFirefox();
    return system;
  }

  /** Starts `conductor firefox` on the profile of this system. */
  async startFirefox(): Promise<void> {
    const prefs = [
      `network.dns.localDomains=${SITE_HOSTS.join(',')}`,
      `network.socket.forcePort=${forcedPorts(this.server.port, this.wire)}`,
      'fission.autostart=false',
      'dom.ipc.processCount=1',
      'dom.ipc.processPrelaunch.enabled=false',
    ];
    const { manifest, visible = false } = this.#options;
    const window = visible ? [] : ['--headless'];
    const options = [...window, '--manifest', String(manifest), ...prefs.flatMap((pref) => ['--pref', pref])];
    const command = await FirefoxCommand.start(this.root, this.#home, options);
    const bidi = await Bidi.open(command.ready.bidi_url, { acceptInsecureCerts: true });
    this.#firefox = { command, bidi };
  }

  /** SIGTERM to `conductor firefox`; resolves with its exit code. */
  async stopFirefox(): Promise<number | null> {
    const { command } = this.#running();
    this.#firefox = null;
    return await command.end();
  }

  get ready(): Ready {
    return this.#running().command.ready;
  }

  async openTab(url: string): Promise<FirefoxTab> {
    const { bidi } = this.#running();
    const created = z.object({ context: z.string() });
    const { context } = await bidi.call('browsingContext.create', { type: 'tab' }, created);
    const tab = new FirefoxTab(bidi, context);
    await tab.open(url);
    return tab;
  }

  /** Runs a command of `conductor`; resolves with its standard output. @throws Error when it fails */
  async conductor(command: string): Promise<string> {
    const { code, out, err } = await runLine(`node local-agent/cli.ts ${command} --root ${this.root}`, this.#home);
    if (code !== 0) throw new Error(`conductor ${command} ended with ${code}: ${err}`);
    return out;
  }

  async stop(): Promise<void> {
    if (this.#firefox !== null) await this.stopFirefox();
    await this.wire.close();
    await this.stack.stop();
    await this.server.stop();
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 3 });
    this.wire.expectNoSecret();
  }

  #running(): { command: FirefoxCommand; bidi: Bidi } {
    if (this.#firefox === null) throw new Error('this Firefox does not run');
    return this.#firefox;
  }
}
