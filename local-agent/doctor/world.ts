/** Everything that a check may ask. */

import type { ResolvedConfig } from '../config/resolve.ts';
import { edgeStateOf } from '../config/root-files.ts';
import type { Config } from '../config/settings.ts';
import { printedCommand, programName, shellWord } from '../lib/printed-command.ts';
import { Skipped } from './check.ts';
import type { Connect, Facts } from './facts.ts';
import { factsOf } from './facts.ts';
import type { Machine } from './machine.ts';

export interface WorldSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Version of this program. */
  version: string;
  /** The configuration, or why it is invalid. */
  resolved: ResolvedConfig | Error;
  /** The root: known also when the configuration is invalid. */
  root: string;
  now: () => number;
  machine: Machine;
  connect: Connect;
}

export class World {
  readonly sources: WorldSources;
  readonly machine: Machine;
  readonly facts: Facts;

  constructor(sources: WorldSources) {
    this.sources = sources;
    this.machine = sources.machine;
    this.facts = factsOf(() => this.resolved, sources.machine, sources.connect);
  }

  /** @throws Skipped when the configuration is invalid */
  get resolved(): ResolvedConfig {
    const { resolved } = this.sources;
    if (resolved instanceof Error) throw new Skipped('the configuration is invalid');
    return resolved;
  }

  /** @throws Skipped when the configuration is invalid */
  get config(): Config {
    return this.resolved.config;
  }

  /** Whether the edge of this root runs on this machine. */
  get hasLocalEdge(): boolean {
    const { resolved, root } = this.sources;
    const named =
      !(resolved instanceof Error) && ['flag', 'environment', 'config.toml'].includes(resolved.origins.controlApiBase);
    return !named || this.machine.isFolder(edgeStateOf(root));
  }

  /** The line that runs a command of this program in this root. */
  command(text: string): string {
    return printedCommand(this.sources.env, text, this.sources.root);
  }

  /** The line that starts the system, or the agent of a further host. */
  startCommand(options = ''): string {
    const { root, env } = this.sources;
    if (this.hasLocalEdge) return `npm start -- --root ${shellWord(root)}${options}`;
    return `${programName(env)} start --root ${shellWord(root)}`;
  }
}
