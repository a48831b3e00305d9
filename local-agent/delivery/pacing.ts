/** Slots as the rest of the agent sees and moves them: deliveries, accounts that a browser reports, a person's resume. */
import type { SlotReport, StopReason } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { Account, BrowserPacing, PacingChange } from '../browsers/clients.ts';
import { Emitter } from '../lib/emitter.ts';
import type { Slot, SlotEvent } from './policy.ts';
import type { Slots } from './slots.ts';

/** The part of a slot whose change the edge should know at once, since it decides where the edge sends renewals. */
function urgentPart(slot: Slot): string {
  return `${slot.breaker} ${slot.stopped?.reason ?? ''} ${slot.stale_sweep_count}`;
}

/** A slot as people and the edge see it: counts instead of times, and nothing of the account, not even its hash. */
function describeSlot({ starts, in_flight, fingerprint, containers, login_lost, ...slot }: Slot): SlotReport {
  return { ...slot, in_flight: in_flight.length, recent_starts: starts.length };
}

export class Pacing implements BrowserPacing {
  /** Emitted inside the transaction of the change. */
  readonly changed = new Emitter<PacingChange>();
  readonly #slots: Slots;
  readonly #now: () => number;

  constructor(slots: Slots, now: () => number) {
    this.#slots = slots;
    this.#now = now;
  }

  slot(clientId: string, platform: Platform): Slot {
    return this.#slots.get(clientId, platform);
  }

  /** Moves a slot, inside the caller's transaction. */
  apply(clientId: string, platform: Platform, event: SlotEvent): void {
    const before = this.#slots.get(clientId, platform);
    const after = this.#slots.apply(clientId, platform, event, this.#now());
    if (after !== before) this.changed.emit({ clientId, urgent: urgentPart(after) !== urgentPart(before) });
  }

  /** Removes deliveries in flight from every slot: those whose lease has expired, or all. */
  sweep(all: boolean): void {
    for (const { client_id, platform } of this.#slots.all()) this.apply(client_id, platform, { type: 'swept', all });
  }

  /** The clock has jumped: every wait stays as long as it was. Inside the caller's transaction. */
  clockJumped(by: number, now: number): void {
    this.#slots.applyToAll({ type: 'clock_jumped', by }, now);
  }

  accountsSeen(clientId: string, accounts: readonly Account[]): void {
    for (const [platform, ofPlatform] of Map.groupBy(accounts, (one) => one.platform)) {
      this.apply(clientId, platform, { type: 'accounts', accounts: ofPlatform });
    }
  }

  /** Resumes a browser on one platform or (null) on all; returns the platforms that had been stopped. */
  resume(clientId: string, platform: Platform | null): Platform[] {
    const stopped = this.#slots
      .all()
      .filter((owned) => owned.client_id === clientId && owned.slot.stopped !== null)
      .filter((owned) => platform === null || owned.platform === platform)
      .map((owned) => owned.platform);
    for (const each of stopped) this.apply(clientId, each, { type: 'resumed' });
    return stopped;
  }

  stoppedReason(clientId: string, platform: Platform): StopReason | null {
    return this.slot(clientId, platform).stopped?.reason ?? null;
  }

  describe(clientId: string, platform: Platform): SlotReport {
    return describeSlot(this.slot(clientId, platform));
  }

  /** Every slot with its browser and platform. */
  targets(): (Record<string, unknown> & { client_id: string; platform: Platform })[] {
    return this.#slots.all().map(({ client_id, platform, slot }) => ({ client_id, platform, ...describeSlot(slot) }));
  }
}
