/** A Firefox on the fake chat sites, and the agent's real bridge, for a benchmark of the extension. */
import { join } from 'node:path';
import type { ManifestVersion } from '../../../extension/build/manifest.ts';
import { BridgeAgent } from '../../support/extension/bridge-agent.ts';
import { buildExtension, EXTENSION_ORIGIN, EXTENSION_PREFERENCES } from '../../support/extension/installed.ts';
import type { FirefoxOptions } from '../../support/sites/open-firefox.ts';
import { Firefox } from '../../support/sites/open-firefox.ts';
import { SitesServer } from '../../support/sites/server.ts';
import type { Cleanup } from '../harness/cleanup.ts';
import { Stage } from './stage.ts';

export class FirefoxScene {
  readonly stage: Stage;
  readonly agent: BridgeAgent;
  readonly firefox: Firefox;
  readonly folder: string;

  private constructor(stage: Stage, agent: BridgeAgent, firefox: Firefox, folder: string) {
    this.stage = stage;
    this.agent = agent;
    this.firefox = firefox;
    this.folder = folder;
  }

  static async start(
    cleanup: Cleanup,
    { manifest = 2, ...options }: Omit<FirefoxOptions, 'port'> & { manifest?: ManifestVersion } = {},
  ): Promise<FirefoxScene> {
    const folder = cleanup.folder();
    const agent = cleanup.add(new BridgeAgent(folder, EXTENSION_ORIGIN), (one) => one.stop());
    await agent.start();
    const stage = new Stage();
    const server = cleanup.add(await SitesServer.start([stage]), (one) => one.stop());
    const preferences = { ...EXTENSION_PREFERENCES, ...options.preferences };
    const started = await Firefox.start({ ...options, port: server.port, preferences });
    const firefox = cleanup.add(started, (one) => one.close());
    await buildExtension(join(folder, 'extension'), agent.url, manifest);
    return new FirefoxScene(stage, agent, firefox, folder);
  }

  /** Installs our extension; resolves when the agent has it. */
  async installOurs(): Promise<void> {
    await this.firefox.install(join(this.folder, 'extension'));
    await this.agent.connected();
  }
}
