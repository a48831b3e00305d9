/**
 * The node's record at the edge. It is reported at the start, whenever the status changes, and when the edge has refused a
 * row of the outbox; not in between: a pong on the channel costs nothing and shows that the node is alive. A report that
 * fails is repeated when the edge is back. The response says whether a person drains the node, so it is also the way to
 * read that.
 */
import type { HeartbeatBody, NodeState } from '../../schema/contracts/nodes.ts';
import { NodeSchema } from '../../schema/contracts/nodes.ts';
import type { EdgeClient } from '../edge/http-client.ts';

const ResponseSchema = NodeSchema.pick({ controller_id: true, draining: true });

export interface RegistrationDeps {
  client: EdgeClient;
  identity: Omit<HeartbeatBody, 'status' | 'metadata'>;
  /** Rows that wait in the outbox. */
  outboxDepth: () => number;
  /** Rows that the edge has refused and the store keeps. */
  outboxRefused: () => number;
  /** The edge has taken a report. `draining`: a person drains this node. */
  onReported: (draining: boolean) => void;
  onFailure: (error: unknown) => void;
}

export class Registration {
  readonly #deps: RegistrationDeps;
  #wanted: NodeState | null = null;
  /** The status that the edge has. */
  #reported: NodeState | null = null;
  /** The edge may know more of this node than its last response said. */
  #mustRead = false;
  #sending: Promise<void> | null = null;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  /** Reports the status now. @throws EdgeError */
  async register(status: NodeState): Promise<void> {
    const { client, identity, outboxDepth, outboxRefused } = this.#deps;
    this.#wanted = status;
    this.#mustRead = false;
    const { draining } = await client.call({
      method: 'POST',
      path: '/v1/controllers/heartbeat',
      body: { ...identity, status, metadata: { outbox_depth: outboxDepth(), outbox_refused: outboxRefused() } },
      schema: ResponseSchema,
    });
    this.#reported = status;
    this.#deps.onReported(draining);
  }

  /** Reports the status again: to read what a person has decided about this node, or to report what else has changed. */
  reread(status: NodeState): void {
    this.#mustRead = true;
    this.report(status);
  }

  /** Reports the status when the edge does not have it yet. Call it when the status has changed or the edge is back. */
  report(status: NodeState): void {
    this.#wanted = status;
    this.#sending ??= this.#catchUp().finally(() => {
      this.#sending = null;
    });
  }

  /** Resolves when no report is in flight. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  async #catchUp(): Promise<void> {
    try {
      while (this.#wanted !== null && (this.#mustRead || this.#wanted !== this.#reported)) {
        await this.register(this.#wanted);
      }
    } catch (error) {
      this.#mustRead = true;
      this.#deps.onFailure(error);
    }
  }
}
