/**
 * The edge without a socket: while the channel is away this reads commands, mode and lease over HTTP, so that a
 * network that lets no WebSocket through only makes the node slower. With a socket it does nothing at all.
 */

import type { Command, Receipt } from '../../schema/contracts/commands.ts';
import { CommandListResponseSchema, ReceiptsResponseSchema } from '../../schema/contracts/commands.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import { LeaseViewSchema } from '../../schema/contracts/leader.ts';
import type { SystemState } from '../../schema/contracts/system.ts';
import { SystemStateSchema } from '../../schema/contracts/system.ts';
import { CHANNEL, COMMAND, HTTP } from '../../schema/defaults.ts';
import type { Backoff } from '../../schema/domain/retry.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
import type { Clock } from '../lib/clock.ts';
import type { EdgeClient } from './http-client.ts';

const BACKOFF: Backoff = { base_ms: COMMAND.poll_interval_ms, max_ms: CHANNEL.reconnect_max_ms, jitter: 'full' };

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
  /** Takes a command; null when it could not, so that it comes again. */
  onCommand: (command: Command) => Receipt | null;
}

export class CommandPoll {
  readonly #deps: CommandPollDeps;
  /** From one start to its stop. What was asked in an earlier one says nothing any more: a socket has told since. */
  #life: object | null = null;
  #failures = 0;
  #cancel: () => void = () => undefined;

  constructor(deps: CommandPollDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#life !== null) return;
    this.#life = {};
    this.#later(this.#life, COMMAND.poll_interval_ms);
  }

  stop(): void {
    this.#life = null;
    this.#cancel();
  }

  #later(life: object, delayMs: number): void {
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      this.#poll(life).then(
        () => {
          this.#failures = 0;
          if (this.#life === life) this.#later(life, COMMAND.poll_interval_ms);
        },
        () => {
          // The channel's own attempts already tell that the edge is away.
          this.#failures += 1;
          const delayMs = COMMAND.poll_interval_ms + retryDelayMs(this.#failures + 1, BACKOFF, this.#deps.random());
          if (this.#life === life) this.#later(life, delayMs);
        },
      );
    });
  }

  async #poll(life: object): Promise<void> {
    const { client, nodeId, onCoordination, onCommand } = this.#deps;
    const coordination = await readCoordination(client);
    if (this.#life !== life) return;
    onCoordination(coordination);
    // All that is pending, each time: what was taken before is known by its id, and what could not be stored, whose
    // receipt was lost, or was made early and committed late, is there again.
    const node = `/v1/controllers/${encodeURIComponent(nodeId)}`;
    const path = `${node}/commands?limit=${HTTP.list_limit_max}`;
    const { items } = await client.call({ method: 'GET', path, schema: CommandListResponseSchema });
    if (this.#life !== life) return;
    const receipts = items.map(onCommand).filter((receipt) => receipt !== null);
    if (receipts.length === 0) return;
    await client.call({ method: 'POST', path: `${node}/receipts`, body: { receipts }, schema: ReceiptsResponseSchema });
  }
}
