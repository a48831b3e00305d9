/**
 * The node's own record at the edge: told at the start and whenever its status changes, and not in between, since a
 * pong on the channel costs nothing and says that it lives. What could not be told is told when the edge is back.
 */

import type { HeartbeatBody, NodeState } from '../../schema/contracts/nodes.ts';
import { NodeSchema } from '../../schema/contracts/nodes.ts';
import type { EdgeClient } from '../edge/http-client.ts';

const ResponseSchema = NodeSchema.pick({ controller_id: true });

export interface RegistrationDeps {
  client: EdgeClient;
  identity: Omit<HeartbeatBody, 'status' | 'metadata'>;
  /** How many requests wait for the edge. */
  outboxDepth: () => number;
  onFailure: (error: unknown) => void;
}

export class Registration {
  readonly #deps: RegistrationDeps;
  #wanted: NodeState | null = null;
  #told: NodeState | null = null;
  #sending: Promise<void> | null = null;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  /** Tells the status now. @throws EdgeError */
  async register(status: NodeState): Promise<void> {
    const { client, identity, outboxDepth } = this.#deps;
    this.#wanted = status;
    await client.call({
      method: 'POST',
      path: '/v1/controllers/heartbeat',
      body: { ...identity, status, metadata: { outbox_depth: outboxDepth() } },
      schema: ResponseSchema,
    });
    this.#told = status;
  }

  /** The status may have changed, or the edge may be back: tells what it does not know yet. */
  report(status: NodeState): void {
    this.#wanted = status;
    this.#sending ??= this.#catchUp().finally(() => {
      this.#sending = null;
    });
  }

  /** When nothing is being told any more. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  async #catchUp(): Promise<void> {
    try {
      while (this.#wanted !== null && this.#wanted !== this.#told) await this.register(this.#wanted);
    } catch (error) {
      this.#deps.onFailure(error);
    }
  }
}
