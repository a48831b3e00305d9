/**
 * The connections of the local API whose peer has not proved yet who it is. Each has a few seconds for that, and there are
 * only so many at once: a new one closes the oldest. So a local program without a token cannot hold the file descriptors of
 * the agent, and cannot keep a browser out, which proves itself at once.
 */
import type { Socket } from 'node:net';

export interface StrangerLimits {
  max: number;
  /** How long a peer has to prove itself. */
  proveMs: number;
}

export class Strangers {
  readonly #limits: StrangerLimits;
  /** Oldest first. */
  readonly #sockets = new Map<Socket, NodeJS.Timeout>();

  constructor(limits: StrangerLimits) {
    this.#limits = limits;
  }

  add(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), this.#limits.proveMs).unref();
    this.#sockets.set(socket, timer);
    socket.once('close', () => this.#remove(socket));
    if (this.#sockets.size <= this.#limits.max) return;
    const [oldest] = this.#sockets.keys();
    if (oldest === undefined) return;
    this.#remove(oldest);
    oldest.destroy();
  }

  /** The peer has proved itself: the connection is bounded by its own rules from now on. */
  admit(socket: Socket): void {
    this.#remove(socket);
  }

  #remove(socket: Socket): void {
    clearTimeout(this.#sockets.get(socket));
    this.#sockets.delete(socket);
  }
}
