/** The slots of every browser and platform: read from SQLite once, written at each change. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { Platform } from '../../schema/contracts/common.ts';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import type { Slot, SlotEvent } from './policy.ts';
import { EMPTY_SLOT, nextSlot, SlotSchema } from './policy.ts';

const SlotRow = z.object({
  client_id: z.string(),
  platform: PlatformSchema,
  slot: z.string().transform((text) => SlotSchema.parse(JSON.parse(text))),
});

export interface OwnedSlot {
  client_id: string;
  platform: Platform;
  slot: Slot;
}

export class Slots {
  readonly #slots = new Map<string, OwnedSlot>();
  readonly #save: StatementSync;

  constructor(db: DatabaseSync) {
    this.#save = db.prepare(
      `INSERT INTO delivery_slots (client_id, platform, slot, updated_at) VALUES (:client_id, :platform, :slot, :now)
       ON CONFLICT (client_id, platform) DO UPDATE SET slot = excluded.slot, updated_at = excluded.updated_at`,
    );
    for (const found of db.prepare('SELECT client_id, platform, slot FROM delivery_slots').all()) {
      const row = SlotRow.parse(found);
      this.#slots.set(slotKey(row.client_id, row.platform), row);
    }
  }

  get(clientId: string, platform: Platform): Slot {
    return this.#slots.get(slotKey(clientId, platform))?.slot ?? EMPTY_SLOT;
  }

  all(): OwnedSlot[] {
    return [...this.#slots.values()];
  }

  /**
   * Stores the slot after an event and returns it. When the caller's transaction fails afterwards, memory is ahead of the
   * file; that happens only when the disk fails, which ends the agent.
   */
  apply(clientId: string, platform: Platform, event: SlotEvent, now: number): Slot {
    const before = this.get(clientId, platform);
    const slot = nextSlot(before, event, now);
    if (slot === before) return slot;
    const moved = { client_id: clientId, platform, slot };
    this.#store(moved, now);
    this.#slots.set(slotKey(clientId, platform), moved);
    return slot;
  }

  /** The same for every slot: in memory all of them move or, when one cannot be stored, none. */
  applyToAll(event: SlotEvent, now: number): void {
    const moved = this.all().map((owned) => ({ ...owned, slot: nextSlot(owned.slot, event, now) }));
    for (const one of moved) this.#store(one, now);
    for (const one of moved) this.#slots.set(slotKey(one.client_id, one.platform), one);
  }

  #store({ client_id, platform, slot }: OwnedSlot, now: number): void {
    this.#save.run({ client_id, platform, slot: JSON.stringify(slot), now });
  }
}

function slotKey(clientId: string, platform: Platform): string {
  return `${clientId} ${platform}`;
}
