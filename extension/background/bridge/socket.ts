/** `WebSocket`, as far as it is used, so that a test can play the agent. */

export interface SocketListener {
  onOpen(): void;
  onMessage(data: unknown): void;
  onClose(code: number, reason: string): void;
}

export interface Socket {
  /** Replaces the listener; null: what happens on this socket counts no more. */
  listen(listener: SocketListener | null): void;
  send(text: string): void;
  close(): void;
}

export type OpenSocket = (url: string) => Socket;
