/**
 * Whether the edge lets this process act as its node. Each process names the one before it that the edge has admitted, by
 * the state folder; while another agent lives under the same node id, the edge refuses this one as `duplicate_node`, and
 * this one claims nothing.
 */
import type { ErrorCode } from '../../schema/errors.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { Store } from '../store/store.ts';

const BOOT_ID = 'boot_id';
export const DUPLICATE: ErrorCode = 'duplicate_node';

/** The boot of this state folder that the edge admitted last; null for a new folder. */
export function admittedBoot(store: Pick<Store, 'meta'>): string | null {
  return store.meta.get(BOOT_ID);
}

export interface AdmissionDeps {
  store: Pick<Store, 'meta'>;
  nodeId: string;
  bootId: string;
  onRefused: (message: string) => void;
}

export class Admission {
  readonly #deps: AdmissionDeps;
  #isRefused = false;
  #isStored = false;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
  }

  /** Whether the edge has refused this process since it last admitted it. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** What a person has to know while the edge refuses this process; null when it does not. */
  get problem(): string | null {
    if (!this.#isRefused) return null;
    const { nodeId } = this.#deps;
    const advice = 'stop it, or start this one with its own --node-id, --state-dir and token';
    return `another agent runs under the node id ${nodeId}; ${advice}`;
  }

  /** The edge has admitted this process: the next one of this folder names it. */
  admitted(): void {
    this.#isRefused = false;
    if (this.#isStored) return;
    this.#deps.store.meta.set(BOOT_ID, this.#deps.bootId);
    this.#isStored = true;
  }

  /** A request has failed: notes when it was refused because another agent is this node. */
  failed(error: unknown): void {
    if (error instanceof EdgeError && error.code === DUPLICATE) this.refused();
  }

  refused(): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    if (this.problem !== null) this.#deps.onRefused(this.problem);
  }
}
