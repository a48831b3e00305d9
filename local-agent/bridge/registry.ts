/** The browsers that are connected now: one session a client, the newest. */
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import type { BrowserSessions } from '../delivery/manager.ts';
import type { Session } from './session.ts';

export class SessionRegistry implements BrowserSessions {
  readonly #sessions = new Map<string, Session>();

  /** Takes a session in; an older one of the same client is closed as replaced. */
  add(session: Session): void {
    this.#sessions.get(session.clientId)?.close(CLOSE.replaced, 'a newer connection of this client');
    this.#sessions.set(session.clientId, session);
  }

  /** False when that session had been replaced: its client is still there. */
  remove(session: Session): boolean {
    if (this.#sessions.get(session.clientId) !== session) return false;
    return this.#sessions.delete(session.clientId);
  }

  isConnected(clientId: string): boolean {
    return this.#sessions.has(clientId);
  }

  send(clientId: string, frame: AgentBridgeFrame): boolean {
    return this.#sessions.get(clientId)?.send(frame) ?? false;
  }

  find(clientId: string): Session | null {
    return this.#sessions.get(clientId) ?? null;
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }
}
