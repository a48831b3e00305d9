/**
 * The edge without a socket: while the channel is away this reads commands, mode and lease over HTTP, so that a
 * network that lets no WebSocket through only makes the node slower. With a socket it does nothing at all.
 */

import type { Command } from '../../schema/contracts/commands.ts';
import { CommandListAnswerSchema } from '../../schema/contracts/commands.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import { LeaseViewSchema } from '../../schema/contracts/leader.ts';
import type { SystemState } from '../../schema/contracts/system.ts';
import { SystemStateSchema } from '../../schema/contracts/system.ts';
import { CHANNEL, COMMAND } from '../../schema/defaults.ts';
import type { Clock } from '../clock.ts';
import { fullJitter } from './backoff.ts';
import type { EdgeClient } from './http-client.ts';

const BACKOFF = { baseMs: COMMAND.poll_interval_ms, maxMs: CHANNEL.reconnect_max_ms };

/** Reads mode and lease as they stand. @throws EdgeError */
export async function readCoordination(client: EdgeClient): Promise<{ system: SystemState; lease: LeaseView }> {
  const [system, lease] = await Promise.all([
    client.call({ method: 'GET', path: '/v1/system/state', schema: SystemStateSchema }),
    client.call({ method: 'GET', path: '/v1/leader', schema: LeaseViewSchema }),
  ]);
  return { system, lease };
}

export interface CommandPollDeps {
  client: EdgeClient;
  nodeId: string;
  clock: Clock;
  random: () => number;
  /** Mode and lease, read before any command is taken. */
  onCoordination: (read: { system: SystemState; lease: LeaseView }) => void;
  onCommand: (command: Command) => void;
}

export class CommandPoll {
  readonly #deps: CommandPollDeps;
  #running = false;
  #failures = 0;
  #after: string | null = null;
  #cancel: () => void = () => undefined;

  constructor(deps: CommandPollDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#later(COMMAND.poll_interval_ms);
  }

  stop(): void {
    this.#running = false;
    this.#cancel();
  }

  #later(delayMs: number): void {
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      this.#poll().then(
        () => {
          this.#failures = 0;
          if (this.#running) this.#later(COMMAND.poll_interval_ms);
        },
        () => {
          // The channel's own attempts already tell that the edge is away.
          this.#failures += 1;
          if (this.#running)
            this.#later(COMMAND.poll_interval_ms + fullJitter(this.#failures, BACKOFF, this.#deps.random()));
        },
      );
    });
  }

  async #poll(): Promise<void> {
    const { client, nodeId, onCoordination, onCommand } = this.#deps;
    onCoordination(await readCoordination(client));
    const query = this.#after === null ? '' : `?after=${encodeURIComponent(this.#after)}`;
    const path = `/v1/controllers/${encodeURIComponent(nodeId)}/commands${query}`;
    const { items } = await client.call({ method: 'GET', path, schema: CommandListAnswerSchema });
    if (!this.#running) return;
    for (const command of items) {
      onCommand(command);
      this.#after = command.command_id;
    }
  }
}
