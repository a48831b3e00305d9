/**
 * A headless Firefox with a profile of its own, in which the host names of the chat sites lead to a `SitesServer`. It can
 * reach nothing outside this machine: an attempt ends it.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { z } from 'zod';
import { Bidi } from '../../../local-agent/firefox/bidi.ts';
import { processIds, statOf } from '../../../local-agent/host/processes.ts';
import type { BridgeWire } from './bridge-wire.ts';
import { FirefoxTab } from './firefox-tab.ts';
import { SITE_HOSTS } from './server.ts';

export const FIREFOX = process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr';
const START_TIMEOUT_MS = 120_000;
const END_TIMEOUT_MS = 15_000;
const LISTENING = /WebDriver BiDi listening on (ws:\/\/[^\s]+)/;

type Preferences = Record<string, string | number | boolean>;

/** One content process and no spare one: several tests share a small machine. */
const LOW_MEMORY: Preferences = {
  'fission.autostart': false,
  'dom.ipc.processCount': 1,
  'dom.ipc.processPrelaunch.enabled': false,
};

export interface FirefoxOptions {
  /** The port of the `SitesServer`. */
  port: number;
  /** Between the extension and its agent. */
  wire?: BridgeWire;
  preferences?: Preferences;
  /** Scripts of a tab at `about:memory` have the rights of the browser itself (privileged.ts). */
  systemAccess?: boolean;
}

/** A suite that needs Firefox. Without one it is skipped with a loud line, except in CI, where it fails. */
export function describeWithFirefox(title: string, suite: () => void): void {
  if (existsSync(FIREFOX)) return void describe(title, suite);
  if (process.env.CI === 'true') {
    it(title, () => {
      throw new Error(`there is no Firefox at ${FIREFOX}; install firefox-esr, or set FIREFOX_PATH`);
    });
    return;
  }
  process.stderr.write(`\n*** SKIPPED, because there is no Firefox at ${FIREFOX}: ${title} ***\n\n`);
  describe.skip(title, suite);
}

export class Firefox {
  readonly profile: string;
  readonly bidi: Bidi;
  readonly #child: ChildProcess;

  private constructor(profile: string, bidi: Bidi, child: ChildProcess) {
    this.profile = profile;
    this.bidi = bidi;
    this.#child = child;
  }

  static async start({ port, wire, preferences = {}, systemAccess = false }: FirefoxOptions): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), 'conductor-firefox-'));
    const sites: Preferences = {
      'network.dns.localDomains': SITE_HOSTS.join(','),
      'network.socket.forcePort': forcedPorts(port, wire),
    };
    await writeFile(join(profile, 'user.js'), userJs({ ...LOW_MEMORY, ...sites, ...preferences }));
    const child = spawn(
      FIREFOX,
      [
        ...['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'],
        ...(systemAccess ? ['--remote-allow-system-access'] : []),
        'about:blank',
      ],
      {
        env: { ...process.env, HOME: profile, MOZ_DISABLE_NONLOCAL_CONNECTIONS: '1' },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    try {
      const bidi = await Bidi.open(await listeningUrl(child), { acceptInsecureCerts: true });
      return new Firefox(profile, bidi, child);
    } catch (error) {
      child.kill('SIGKILL');
      await rm(profile, { recursive: true, force: true });
      throw error;
    }
  }

  /** The id of the extension in `path`, which is a folder with a manifest. It is gone when this Firefox ends. */
  async install(path: string): Promise<string> {
    return await this.bidi.installExtension(path, 'path');
  }

  /** A tab that shows `url`. `container` is an id of `newContainer`. */
  async openTab(url: string, { container }: { container?: string } = {}): Promise<FirefoxTab> {
    const params = { type: 'tab', ...(container !== undefined && { userContext: container }) };
    const { context } = await this.bidi.call('browsingContext.create', params, z.object({ context: z.string() }));
    const tab = new FirefoxTab(this.bidi, context);
    await tab.open(url);
    return tab;
  }

  /** A container, whose tabs have cookies of their own. */
  async newContainer(): Promise<string> {
    const created = z.object({ userContext: z.string() });
    return (await this.bidi.call('browser.createUserContext', {}, created)).userContext;
  }

  /** Stops all of its processes, as a laptop that sleeps does, and lets them continue after `ms`. */
  async sleep(ms: number): Promise<void> {
    const all = familyOf(this.#child.pid ?? 0);
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    await delay(ms);
    for (const pid of all) process.kill(pid, 'SIGCONT');
  }

  async close(): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : Promise.resolve();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.bidi.closeBrowser();
    await ended;
    clearTimeout(timer);
    await rm(this.profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The names of the sites lead to the server of the fakes, and the agent's port to the wire. */
export function forcedPorts(sites: number, wire?: BridgeWire): string {
  return [`443=${sites}`, ...(wire === undefined ? [] : [wire.forcedPort])].join(';');
}

/** A process and all that descend from it. */
function familyOf(pid: number): number[] {
  const all = processIds().flatMap((id) => statOf(id) ?? []);
  const family = [pid];
  for (const parent of family) family.push(...all.filter((one) => one.parent === parent).map((one) => one.pid));
  return family;
}

function userJs(preferences: Preferences): string {
  return Object.entries(preferences)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');
}

async function listeningUrl(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('Firefox has no stderr to read');
  const lines = createInterface({ input: child.stderr });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const said: string[] = [];
  lines.on('line', (line) => {
    said.push(line);
    const [, url] = LISTENING.exec(line) ?? [];
    if (url !== undefined) resolve(url);
  });
  child.on('error', reject);
  child.on('exit', (code) => reject(new Error(`Firefox ended with ${code}: ${said.slice(-5).join(' | ')}`)));
  const timer = setTimeout(
    () => reject(new Error(`Firefox did not listen within ${START_TIMEOUT_MS} ms`)),
    START_TIMEOUT_MS,
  );
  return await promise.finally(() => clearTimeout(timer));
}
