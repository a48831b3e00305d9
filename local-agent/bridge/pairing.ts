/**
 * Pairing of a browser. `open` starts a window of five minutes with a code of eight digits; a browser that names the
 * code within five tries claims it, once, and waits on its socket; `pin` stores origin, client and the token's hash and
 * hands the token to that socket. Wrong codes beyond the fifth, time, or a claimant that goes away close the window.
 */
import type { PairingBody, PairingWindowView } from '../../schema/contracts/local-api.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { sha256Hex } from '../lib/hash.ts';
import { sameSecret } from '../lib/secrets.ts';
import type { Store } from '../store/store.ts';

/** A browser's socket that waits for its token. */
export interface Claimant {
  readonly origin: string;
  /** Tells the browser its token and lets it go. */
  paired(token: string): void;
}

interface Window {
  code: string;
  expiresAt: number;
  triesLeft: number;
  claim: { claimant: Claimant; clientId: string } | null;
  cancelExpiry: () => void;
}

export interface PairingDeps {
  store: Pick<Store, 'pairings'>;
  clock: Clock;
  /** A code of that many digits, unpredictable. */
  newCode: (digits: number) => string;
}

export class Pairing {
  /** A change of the window; `closed` tells the sockets that came through it to go. */
  readonly changed = new Emitter<PairingWindowView['state']>();
  /** A client was pinned anew: what its old token opened is over. */
  readonly pinned = new Emitter<string>();
  readonly #deps: PairingDeps;
  #window: Window | null = null;

  constructor(deps: PairingDeps) {
    this.#deps = deps;
  }

  /** Whether an unpinned origin may connect to pair. */
  get accepts(): boolean {
    return this.#window !== null && this.#window.claim === null;
  }

  /** Opens the window, in place of one that is open. */
  open(): { code: string; expires_in_ms: number } {
    this.close();
    const { clock, newCode } = this.#deps;
    const code = newCode(BRIDGE.pairing_code_digits);
    this.#window = {
      code,
      expiresAt: clock.now() + BRIDGE.pairing_window_ms,
      triesLeft: BRIDGE.pairing_tries,
      claim: null,
      cancelExpiry: clock.after(BRIDGE.pairing_window_ms, () => this.close()),
    };
    this.changed.emit('open');
    return { code, expires_in_ms: BRIDGE.pairing_window_ms };
  }

  view(): PairingWindowView {
    const window = this.#window;
    if (window === null) return { state: 'closed' };
    const expiresInMs = Math.max(0, window.expiresAt - this.#deps.clock.now());
    if (window.claim === null) return { state: 'open', expires_in_ms: expiresInMs, tries_left: window.triesLeft };
    const { claimant, clientId } = window.claim;
    return { state: 'claimed', expires_in_ms: expiresInMs, origin: claimant.origin, client_id: clientId };
  }

  /** A browser names the code; false when it is wrong, used or late. */
  claim(code: string, clientId: string, claimant: Claimant): boolean {
    const window = this.#window;
    if (window === null || window.claim !== null) return false;
    if (!sameSecret(code, window.code)) {
      window.triesLeft -= 1;
      if (window.triesLeft === 0) this.close();
      return false;
    }
    window.claim = { claimant, clientId };
    this.changed.emit('claimed');
    return true;
  }

  /** That browser's socket is gone; if it was the claimant its window is closed. */
  abandoned(claimant: Claimant): void {
    if (this.#window?.claim?.claimant === claimant) this.close();
  }

  /**
   * Pins a browser to its origin and token. True when the claimant of the window was told.
   *
   * @throws AppError `conflict` when the window is claimed by another browser of that client id.
   */
  pin({ origin, client_id: clientId, token }: PairingBody): boolean {
    const claim = this.#window?.claim ?? null;
    const waits = claim !== null && claim.clientId === clientId;
    if (waits && claim.claimant.origin !== origin) {
      throw new AppError('conflict', `the browser that waits for a token is ${claim.claimant.origin}`);
    }
    const { store, clock } = this.#deps;
    store.pairings.put({ client_id: clientId, origin, token_hash: sha256Hex(token), created_at: clock.now() });
    this.pinned.emit(clientId);
    if (!waits) return false;
    claim.claimant.paired(token);
    this.close();
    return true;
  }

  close(): void {
    if (this.#window === null) return;
    this.#window.cancelExpiry();
    this.#window = null;
    this.changed.emit('closed');
  }

  /** Resolves when the window is no longer `open`, after `waitMs`, or when the caller has gone. */
  async settled(waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#window === null || this.#window.claim !== null || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancelTimer = this.#deps.clock.after(waitMs, done);
      const off = this.changed.on((state) => {
        if (state !== 'open') done();
      });
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        cancelTimer();
        off();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }
}
