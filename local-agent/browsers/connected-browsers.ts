/** The browsers that are connected now: one connection per browser, the newest. */
import type { AgentBridgeFrame } from '../../schema/contracts/bridge-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';

/** A paired browser's connection, after its hello. */
export interface BrowserConnection {
  readonly clientId: string;
  /** The browser's own token. */
  readonly token: string;
  /** Version of its extension. */
  readonly extensionVersion?: string | undefined;
  /** False when the socket is closed or its peer does not read. */
  send(frame: AgentBridgeFrame): boolean;
  close(code: number, reason: string): void;
}

export class ConnectedBrowsers {
  readonly #connections = new Map<string, BrowserConnection>();

  /** Adds a connection; closes an older one of the same browser as replaced. */
  add(connection: BrowserConnection): void {
    this.#connections.get(connection.clientId)?.close(CLOSE.replaced, 'a newer connection of this browser');
    this.#connections.set(connection.clientId, connection);
  }

  /** False when that connection was replaced before: its browser is still connected. */
  remove(connection: BrowserConnection): boolean {
    if (this.#connections.get(connection.clientId) !== connection) return false;
    return this.#connections.delete(connection.clientId);
  }

  isConnected(clientId: string): boolean {
    return this.#connections.has(clientId);
  }

  /** The token of that browser; null when it is not connected. */
  tokenOf(clientId: string): string | null {
    return this.#connections.get(clientId)?.token ?? null;
  }

  /** The version of its extension; null when it is not connected. */
  extensionVersionOf(clientId: string): string | null {
    return this.#connections.get(clientId)?.extensionVersion ?? null;
  }

  /** Hands a frame to that browser's socket; false when there is none that takes it. */
  send(clientId: string, frame: AgentBridgeFrame): boolean {
    return this.#connections.get(clientId)?.send(frame) ?? false;
  }

  close(clientId: string, code: number, reason: string): void {
    this.#connections.get(clientId)?.close(code, reason);
  }

  all(): BrowserConnection[] {
    return [...this.#connections.values()];
  }
}
