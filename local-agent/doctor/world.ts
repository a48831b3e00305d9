/** Everything that a check may ask. */

import { join } from 'node:path';
import { environmentOf, keptFilesOf, readDeployed } from '../config/deployed.ts';
import type { ResolvedConfig } from '../config/resolve.ts';
import type { Config } from '../config/settings.ts';
import { keptPortsOf, NAMED, systemKindOf, USUAL_PORTS } from '../config/system-kind.ts';
import type { SystemRecord } from '../config/system-record.ts';
import { readSystemRecord } from '../config/system-record.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';
import { lineInProgram, printedCommand, programName, shellWord } from '../lib/printed-command.ts';
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

const UPDATE = 'git pull && npm ci';

export class World {
  readonly sources: WorldSources;
  readonly machine: Machine;
  readonly facts: Facts;

  constructor(sources: WorldSources) {
    this.sources = sources;
    this.machine = sources.machine;
    this.facts = factsOf(() => this.resolved, sources);
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

  /** The record of the root, also of a system that has ended; null when there is none, or it is damaged. */
  get #record(): SystemRecord | null {
    try {
      return readSystemRecord(this.sources.root, this.machine.readFile);
    } catch {
      return null;
    }
  }

  /** Whether the edge of this root runs on this machine. */
  get hasLocalEdge(): boolean {
    const { resolved } = this.sources;
    if (resolved instanceof Error) return true;
    const exists = (path: string) => this.machine.modeOf(path) !== null;
    return systemKindOf({ resolved, record: this.#record, exists }).kind === 'system';
  }

  /** The ports at which the next start of a local system listens: those that it has had. */
  get ports(): { edge: number; agent: number } {
    const { edge, agent } = keptPortsOf({ resolved: this.resolved, record: this.#record });
    return { edge: edge ?? USUAL_PORTS.edge, agent: agent ?? USUAL_PORTS.agent };
  }

  /** The line that runs a command of this program in this root. */
  command(text: string): string {
    return printedCommand(this.sources.env, text, this.sources.root);
  }

  /** A line of npm or git that works only in the program's folder. */
  inProgram(line: string): string {
    return lineInProgram(this.sources.env, PROGRAM_FOLDER, line);
  }

  /** The line that brings the newest version of this program. */
  get updateLine(): string {
    return this.inProgram(UPDATE);
  }

  /** The line by which a person starts the system, or the agent of a further host, at the ports that it has had. */
  startLine(changed: Partial<{ edge: number; agent: number }> = {}): string {
    const { root, env, resolved } = this.sources;
    const isKnown = !(resolved instanceof Error);
    if (!this.hasLocalEdge) {
      const api = changed.agent === undefined ? '' : ` --local-api http://127.0.0.1:${changed.agent}`;
      // The address of an earlier start does not count at the next one.
      const isNamed = isKnown && NAMED.has(resolved.origins.controlApiBase);
      const edgeUrl = isNamed ? undefined : this.#record?.edge_url;
      const edge = edgeUrl === undefined ? '' : ` --control-api-base ${shellWord(edgeUrl)}`;
      return `${programName(env)} start --root ${shellWord(root)}${edge}${api}`;
    }
    const { edge, agent } = { ...(isKnown ? this.ports : USUAL_PORTS), ...changed };
    const ports = [
      ...(edge === USUAL_PORTS.edge ? [] : ['--port', edge]),
      ...(agent === USUAL_PORTS.agent ? [] : ['--agent-port', agent]),
    ];
    return this.inProgram(['npm start -- --root', shellWord(root), ...ports].join(' '));
  }

  /** How this root is started, or started again when it runs: by its service when it has one. */
  async startAgain(): Promise<{ how: string; command: string }> {
    const service = await this.facts.service();
    const isRunning = !(this.sources.resolved instanceof Error) && this.resolved.system === 'running';
    const isServed = service?.loaded?.running === true;
    if (service !== null && (isServed || !isRunning)) {
      const verb = isServed ? 'restart' : 'start';
      return { how: `${verb} the service of this root`, command: this.command(`service ${verb}`) };
    }
    const what = this.hasLocalEdge ? 'system' : 'agent';
    const how = isRunning ? `stop the ${what} with Ctrl-C and start it again` : `start the ${what}`;
    return { how, command: this.startLine() };
  }

  /** The line of npm that deploys the edge of this root; null when another root has deployed it, or this is not known. */
  get #deployLine(): string | null {
    const { root } = this.sources;
    const deployed = readDeployed(keptFilesOf(root), this.machine.readFile);
    const toml = this.machine.readFile(join(PROGRAM_FOLDER, 'wrangler.toml'));
    const env = deployed === null || toml === null ? null : environmentOf(toml, deployed.worker);
    if (env === null) return null;
    return `npm run deploy -- --root ${shellWord(root)}${env === '' ? '' : ` --env ${env}`}`;
  }

  /** How the edge becomes that of this program. `local` is what a start does, and `deployed` what a deploy does, here `updates` first. */
  async updateEdge({
    local,
    deployed,
    updates = false,
  }: {
    local: string;
    deployed: string;
    updates?: boolean;
  }): Promise<{ advice: string; command: string | null }> {
    if (this.hasLocalEdge) {
      const { how, command } = await this.startAgain();
      return { advice: `${how}: ${local}`, command };
    }
    const line = this.#deployLine;
    const command = line === null ? null : this.inProgram(updates ? `${UPDATE} && ${line}` : line);
    const onTheOther =
      'on the host and for the root that has deployed it, with "npm run deploy -- --root ROOT", and --env for its environment';
    return { advice: command === null ? `${deployed}, ${onTheOther}` : deployed, command };
  }
}
