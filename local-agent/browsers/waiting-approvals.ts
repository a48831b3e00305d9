/**
 * The instructions of this node that wait for a person, as the edge last confirmed them, with what the person is asked.
 * They are read when the edge reports a change, after a reconnect, and when one of them expires. What an instruction asks
 * is read once for each of its versions. A failed read is repeated at the next event.
 */
import type { Logger } from 'pino';
import type { Platform } from '../../schema/contracts/common.ts';
import { pageOf } from '../../schema/contracts/common.ts';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import { InstructionDetailSchema, InstructionSchema } from '../../schema/contracts/instructions.ts';
import { APPROVALS } from '../../schema/defaults.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';

const PageSchema = pageOf(InstructionSchema);
const DetailSchema = InstructionDetailSchema.pick({
  approval: true,
  approval_expires_in_ms: true,
  platform: true,
  status: true,
});
/** Details read at once. */
const READS_AT_ONCE = 4;

/** One of them. `expires_at` by this node's clock. */
export interface PendingApproval {
  instruction_id: string;
  local_conversation_id: string;
  /** Absent where the edge is of an earlier version. */
  platform?: Platform | undefined;
  name: string;
  display: string;
  approval_hash: string;
  expires_at: number;
}

/** `pending` null: it waits with nothing that could be approved. */
interface KnownApproval {
  version: number;
  pending: PendingApproval | null;
}

export interface WaitingApprovalsDeps {
  edge: Pick<EdgeClient, 'call'>;
  clock: Clock;
  log: Pick<Logger, 'warn'>;
}

export class WaitingApprovals {
  readonly changed = new Emitter<void>();
  readonly #deps: WaitingApprovalsDeps;
  /** By instruction. */
  #known = new Map<string, KnownApproval>();
  #isReading = false;
  #mustRepeat = false;
  #isStopped = false;
  #cancelExpiry: () => void = () => undefined;

  constructor(deps: WaitingApprovalsDeps) {
    this.#deps = deps;
  }

  /** Those that can be decided, the oldest first. */
  list(): PendingApproval[] {
    const now = this.#deps.clock.now();
    return [...this.#known.values()].flatMap(({ pending }) =>
      pending !== null && pending.expires_at > now ? [pending] : [],
    );
  }

  /** Reads them again, with one reading at a time. */
  async refresh(): Promise<void> {
    if (this.#isReading) {
      this.#mustRepeat = true;
      return;
    }
    this.#isReading = true;
    try {
      do {
        this.#mustRepeat = false;
        await this.#read();
      } while (this.#mustRepeat && !this.#isStopped);
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'the waiting approvals could not be read; they are read at the next change');
    } finally {
      this.#isReading = false;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelExpiry();
  }

  async #read(): Promise<void> {
    const path = `/v1/instructions?status=awaiting_approval&limit=${APPROVALS.max_per_node}`;
    const { items } = await this.#deps.edge.call({ method: 'GET', path, schema: PageSchema });
    const oldestFirst = items.toReversed();
    const next = new Map<string, KnownApproval>();
    for (let at = 0; at < oldestFirst.length; at += READS_AT_ONCE) {
      const some = oldestFirst.slice(at, at + READS_AT_ONCE);
      const entries = await Promise.all(some.map((one) => this.#detail(one)));
      for (const [index, entry] of entries.entries()) {
        const id = some[index]?.instruction_id;
        if (id !== undefined && entry !== null) next.set(id, entry);
      }
    }
    if (this.#isStopped) return;
    this.#known = next;
    this.#watchExpiry();
    this.changed.emit();
  }

  /** Null when it does not wait any more. */
  async #detail(instruction: Instruction): Promise<KnownApproval | null> {
    const { instruction_id, local_conversation_id, target, tool, updated_at: version } = instruction;
    const known = this.#known.get(instruction_id);
    // One that nothing could be approved of may be described within the same millisecond.
    if (known?.version === version && known.pending !== null) return known;
    const path = `/v1/instructions/${encodeURIComponent(instruction_id)}`;
    const detail = await this.#deps.edge.call({ method: 'GET', path, schema: DetailSchema });
    if (detail.status !== 'awaiting_approval') return null;
    if (detail.approval == null) return { version, pending: null };
    const now = this.#deps.clock.now();
    const { display, approval_hash } = detail.approval;
    // An edge of an older version gives only the time by its own clock.
    const expiresInMs = detail.approval_expires_in_ms ?? (instruction.approval_expires_at ?? now) - now;
    const name = `${target}::${tool}`;
    const expires_at = now + Math.max(0, expiresInMs);
    const asked = { name, display, approval_hash, expires_at };
    return { version, pending: { instruction_id, local_conversation_id, platform: detail.platform, ...asked } };
  }

  #watchExpiry(): void {
    this.#cancelExpiry();
    const times = this.list().map(({ expires_at }) => expires_at);
    if (times.length === 0) return;
    const waitMs = Math.max(1, Math.min(...times) - this.#deps.clock.now());
    this.#cancelExpiry = this.#deps.clock.after(waitMs, () => {
      this.changed.emit();
      void this.refresh();
    });
  }
}
