/**
 * The slots as others see and move them: what the edge and `GET /v1/browser` are shown of a browser's pacing, what the
 * browser says of its accounts, and a person's resume. What changes so that the edge should know is told at once.
 */
import type { StopReason } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { Slot, SlotEvent } from './policy.ts';
import type { Slots } from './slots.ts';

/** Who is signed in to a platform, as the page shows it. */
export interface Account {
  platform: Platform;
  fingerprint: string | null;
  lost: boolean;
}

export interface PacingDeps {
  slots: Slots;
  now: () => number;
  /** `urgent`: deliveries go on differently now; otherwise something was merely done. */
  onChange: (clientId: string, urgent: boolean) => void;
}

/** What makes a difference to whoever plans deliveries. */
function essence(slot: Slot): string {
  return `${slot.breaker} ${slot.stopped?.reason ?? ''} ${slot.stale_sweep_count}`;
}

export class Pacing {
  readonly #deps: PacingDeps;

  constructor(deps: PacingDeps) {
    this.#deps = deps;
  }

  /** Moves a slot; inside the caller's transaction. */
  apply(clientId: string, platform: Platform, event: SlotEvent): void {
    const { slots, now, onChange } = this.#deps;
    const before = slots.get(clientId, platform);
    slots.apply(clientId, platform, event, now());
    const after = slots.get(clientId, platform);
    if (after !== before) onChange(clientId, essence(after) !== essence(before));
  }

  /** Takes back the places of every slot: only those whose lease has passed, or all of them. */
  sweep(all: boolean): void {
    for (const { client_id, platform } of this.#deps.slots.all())
      this.apply(client_id, platform, { type: 'swept', all });
  }

  accountsSeen(clientId: string, accounts: readonly Account[]): void {
    for (const { platform, fingerprint, lost } of accounts) {
      this.apply(clientId, platform, { type: 'account', fingerprint, lost });
    }
  }

  /** Lets a browser go on, on one platform or (null) on all; the platforms that had been stopped. */
  resume(clientId: string, platform: Platform | null): Platform[] {
    const stopped = this.#deps.slots
      .all()
      .filter((owned) => owned.client_id === clientId && owned.slot.stopped !== null)
      .filter((owned) => platform === null || owned.platform === platform)
      .map((owned) => owned.platform);
    for (const each of stopped) this.apply(clientId, each, { type: 'resumed' });
    return stopped;
  }

  stoppedReason(clientId: string, platform: Platform): StopReason | null {
    return this.#deps.slots.get(clientId, platform).stopped?.reason ?? null;
  }

  /** The part of a slot that the edge is told. */
  of(clientId: string, platform: Platform): Record<string, unknown> {
    return shown(this.#deps.slots.get(clientId, platform));
  }

  /** Every slot with its owner. */
  targets(): (Record<string, unknown> & { client_id: string; platform: Platform })[] {
    return this.#deps.slots.all().map(({ client_id, platform, slot }) => ({ client_id, platform, ...shown(slot) }));
  }
}

/** Counts instead of times and places; of the account nothing, not even its hash. */
function shown({ starts, in_flight, fingerprint, login_lost, ...slot }: Slot): Record<string, unknown> {
  return { ...slot, in_flight: in_flight.length, recent_starts: starts.length };
}
