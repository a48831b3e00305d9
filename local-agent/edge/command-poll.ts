/**
 * Reads commands, mode and lease over HTTP while the channel is down, so that a network without WebSockets only makes the
 * node slower. While the channel is up it does nothing.
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

export interface Coordination {
  system: SystemState;
  lease: LeaseView;
}

/** Reads the current mode and lease. @throws EdgeError */
export async function readCoordination(client: EdgeClient): Promise<Coordination> {
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
  /** In [0, 1). */
  random: () => number;
  /** Called before the commands of the same poll. */
  onCoordination: (coordination: Coordination) => void;
  /** Takes a command; null when it could not be stored, so that the next poll brings it again. */
  onCommand: (command: Command) => Receipt | null;
  onFailure: (error: unknown) => void;
}

export class CommandPoll {
  readonly #deps: CommandPollDeps;
  /** Identifies the time between a start and its stop. A poll of an earlier one is stale: a channel has been up since. */
  #run: object | null = null;
  #failures = 0;
  #cancel: () => void = () => undefined;

  constructor(deps: CommandPollDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#run !== null) return;
    this.#run = {};
    this.#pollAfter(COMMAND.poll_interval_ms, this.#run);
  }

  stop(): void {
    this.#run = null;
    this.#cancel();
  }

  #pollAfter(delayMs: number, run: object): void {
    this.#cancel = this.#deps.clock.after(delayMs, () => {
      this.#poll(run).then(
        () => {
          this.#failures = 0;
          if (this.#run === run) this.#pollAfter(COMMAND.poll_interval_ms, run);
        },
        (error: unknown) => {
          // Not logged: the channel's attempts log that the edge is away.
          this.#deps.onFailure(error);
          this.#failures += 1;
          const backoffMs = retryDelayMs(this.#failures + 1, BACKOFF, this.#deps.random());
          if (this.#run === run) this.#pollAfter(COMMAND.poll_interval_ms + backoffMs, run);
        },
      );
    });
  }

  async #poll(run: object): Promise<void> {
    const { client, nodeId, onCoordination, onCommand } = this.#deps;
    const coordination = await readCoordination(client);
    if (this.#run !== run) return;
    onCoordination(coordination);
    // Every pending command, each time: those taken before are known by their ids, and the list also has those that could
    // not be stored, whose receipt was lost, or that were committed after others with a later id.
    const node = `/v1/controllers/${encodeURIComponent(nodeId)}`;
    const path = `${node}/commands?limit=${HTTP.list_limit_max}`;
    const { items } = await client.call({ method: 'GET', path, schema: CommandListResponseSchema });
    if (this.#run !== run) return;
    const receipts = items.map(onCommand).filter((receipt) => receipt !== null);
    if (receipts.length === 0) return;
    await client.call({ method: 'POST', path: `${node}/receipts`, body: { receipts }, schema: ReceiptsResponseSchema });
  }
}
