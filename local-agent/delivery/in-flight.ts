/** What has been handed to a browser and was not answered yet: by plan, by request, by browser, by conversation. */
import type { Platform } from '../../schema/contracts/common.ts';
import { conversationKey } from './choose.ts';
import type { DeliveryRow } from './deliveries.ts';

export interface Flight {
  row: DeliveryRow;
  requestId: string;
  cancelTimeout: () => void;
}

export class InFlight {
  readonly #flights = new Map<string, Flight>();

  add(flight: Flight): void {
    this.#flights.set(flight.row.plan_id, flight);
  }

  /** It has ended: its timeout is canceled. */
  remove(flight: Flight): void {
    flight.cancelTimeout();
    this.#flights.delete(flight.row.plan_id);
  }

  clear(): void {
    for (const flight of this.#all()) this.remove(flight);
  }

  ofPlan(planId: string): Flight | null {
    return this.#flights.get(planId) ?? null;
  }

  ofRequest(clientId: string, requestId: string): Flight | null {
    return this.ofClient(clientId).find((flight) => flight.requestId === requestId) ?? null;
  }

  ofClient(clientId: string): Flight[] {
    return this.#all().filter(({ row }) => row.client_id === clientId);
  }

  isBusy(conversation: string): boolean {
    return this.#all().some(({ row }) => conversationKey(row) === conversation);
  }

  /** Conversations of a platform that are being delivered to. */
  conversationsIn(platform: Platform): string[] {
    return this.#all()
      .filter(({ row }) => row.platform === platform)
      .flatMap(({ row }) => (row.conversation_id === null ? [] : [row.conversation_id]));
  }

  #all(): Flight[] {
    return [...this.#flights.values()];
  }
}
