/**
 * Deliveries that a browser was given and has not ended, and those that are searched for: by plan, by request, by browser,
 * by conversation.
 */
import type { Platform } from '../../schema/contracts/common.ts';
import { conversationKey } from './choose.ts';
import type { DeliveryRow } from './deliveries.ts';

export interface DeliveryInFlight {
  row: DeliveryRow;
  /** Null while it is searched for in its conversation. */
  requestId: string | null;
  cancelTimeout: () => void;
}

export class DeliveriesInFlight {
  readonly #byPlan = new Map<string, DeliveryInFlight>();

  add(delivery: DeliveryInFlight): void {
    this.#byPlan.set(delivery.row.plan_id, delivery);
  }

  /** Removes an ended delivery and cancels its timeout. */
  remove(delivery: DeliveryInFlight): void {
    delivery.cancelTimeout();
    this.#byPlan.delete(delivery.row.plan_id);
  }

  clear(): void {
    for (const delivery of this.#all()) this.remove(delivery);
  }

  byPlan(planId: string): DeliveryInFlight | null {
    return this.#byPlan.get(planId) ?? null;
  }

  byRequest(clientId: string, requestId: string): DeliveryInFlight | null {
    return this.byClient(clientId).find((delivery) => delivery.requestId === requestId) ?? null;
  }

  byClient(clientId: string): DeliveryInFlight[] {
    return this.#all().filter(({ row }) => row.client_id === clientId);
  }

  /** `conversation`: by `conversationKey`. */
  isBusy(conversation: string): boolean {
    return this.#all().some(({ row }) => conversationKey(row) === conversation);
  }

  /** Conversations of a platform that have a delivery in flight. */
  busyConversations(platform: Platform): string[] {
    return this.#all()
      .filter(({ row }) => row.platform === platform)
      .flatMap(({ row }) => (row.conversation_id === null ? [] : [row.conversation_id]));
  }

  #all(): DeliveryInFlight[] {
    return [...this.#byPlan.values()];
  }
}
