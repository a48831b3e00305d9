/**
 * Pairing of a browser. `open` starts a window of five minutes with a code of eight digits. A browser that sends the code
 * claims the window, once, and waits on its socket. `pin` asks the edge whether the token is that browser's own, stores its
 * origin, its id and the hash of its token, and sends the token to that socket. An origin that has sent five wrong codes is
 * refused, so that a stranger cannot close the window for the person; the window closes after many wrong codes of all
 * origins, when its time is over, or when the browser that claimed it disconnects.
 */
import type { PairingBody, PairingWindowView } from '../../schema/contracts/local-api.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import { sha256Hex } from '../lib/hash.ts';
import { sameSecret } from '../lib/secrets.ts';
import type { Store } from '../store/store.ts';

/** A browser's socket that is waiting for its token. */
export interface Claimant {
  readonly origin: string;
  /** Sends the browser its token and closes the socket. */
  paired(token: string): void;
}

interface Window {
  code: string;
  expiresAt: number;
  /** Wrong codes by origin. */
  wrong: Map<string, number>;
  triesLeft: number;
  claim: { claimant: Claimant; clientId: string } | null;
  cancelExpiry: () => void;
}

export interface PairingDeps {
  store: Pick<Store, 'pairings'>;
  clock: Clock;
  /** An unpredictable code of that many digits. */
  newCode: (digits: number) => string;
  /** The line by which a person opens a window. */
  pairCommand: string;
  /** Resolves when the edge knows the token as that of the browser. @throws AppError otherwise */
  confirmToken: (clientId: string, token: string) => Promise<void>;
}

export class Pairing {
  /** The window has changed; at `closed`, the sockets that came through it are closed. */
  readonly changed = new Emitter<PairingWindowView['state']>();
  /** A browser was paired: connections under its old token must end. */
  readonly pinned = new Emitter<string>();
  readonly #deps: PairingDeps;
  #window: Window | null = null;
  #tooManyWrongCodes = false;

  constructor(deps: PairingDeps) {
    this.#deps = deps;
  }

  /** Why an unpaired origin may not connect to pair; null when it may. */
  refusal(origin: string): string | null {
    const window = this.#window;
    const { pairCommand } = this.#deps;
    if (window === null || window.claim !== null) return `this extension is not paired; run: ${pairCommand}`;
    if ((window.wrong.get(origin) ?? 0) < BRIDGE.pairing_tries) return null;
    return `this extension has sent ${BRIDGE.pairing_tries} wrong codes; run: ${pairCommand}, and type the new code`;
  }

  /** Opens a window and closes one that is open. */
  open(): { code: string; expires_in_ms: number } {
    this.close();
    this.#tooManyWrongCodes = false;
    const { clock, newCode } = this.#deps;
    const code = newCode(BRIDGE.pairing_code_digits);
    this.#window = {
      code,
      expiresAt: clock.now() + BRIDGE.pairing_window_ms,
      wrong: new Map(),
      triesLeft: BRIDGE.pairing_tries_total,
      claim: null,
      cancelExpiry: clock.after(BRIDGE.pairing_window_ms, () => this.close()),
    };
    this.changed.emit('open');
    return { code, expires_in_ms: BRIDGE.pairing_window_ms };
  }

  view(): PairingWindowView {
    const window = this.#window;
    if (window === null) return { state: 'closed', too_many_wrong_codes: this.#tooManyWrongCodes };
    const expiresInMs = Math.max(0, window.expiresAt - this.#deps.clock.now());
    if (window.claim === null) return { state: 'open', expires_in_ms: expiresInMs, tries_left: window.triesLeft };
    const { claimant, clientId } = window.claim;
    return { state: 'claimed', expires_in_ms: expiresInMs, origin: claimant.origin, client_id: clientId };
  }

  /** Claims the window by its code; false when the code is wrong, used or expired, or the origin has no try left. */
  claim(code: string, clientId: string, claimant: Claimant): boolean {
    const window = this.#window;
    if (window === null || this.refusal(claimant.origin) !== null) return false;
    if (!sameSecret(code, window.code)) {
      this.#countWrongCode(window, claimant.origin);
      return false;
    }
    window.claim = { claimant, clientId };
    this.changed.emit('claimed');
    return true;
  }

  /** That socket is gone: closes the window when it had claimed it. */
  abandon(claimant: Claimant): void {
    if (this.#window?.claim?.claimant === claimant) this.close();
  }

  /**
   * Pins a browser to its origin and token. True when the token was sent to the socket that claimed the window.
   *
   * @throws AppError `conflict` when another origin has claimed the window under that client id, and as `confirmToken`.
   */
  async pin({ origin, client_id: clientId, token }: PairingBody): Promise<boolean> {
    const { store, clock, confirmToken } = this.#deps;
    this.#waiting(clientId, origin);
    await confirmToken(clientId, token);
    // The window may have changed while the edge was asked.
    const claimant = this.#waiting(clientId, origin);
    store.pairings.put({ client_id: clientId, origin, token_hash: sha256Hex(token), created_at: clock.now() });
    this.pinned.emit(clientId);
    if (claimant === null) return false;
    claimant.paired(token);
    this.close();
    return true;
  }

  close(): void {
    if (this.#window === null) return;
    this.#window.cancelExpiry();
    this.#window = null;
    this.changed.emit('closed');
  }

  /** The socket that waits under that client id; null when there is none. @throws AppError `conflict` */
  #waiting(clientId: string, origin: string): Claimant | null {
    const claim = this.#window?.claim ?? null;
    if (claim === null || claim.clientId !== clientId) return null;
    if (claim.claimant.origin === origin) return claim.claimant;
    throw new AppError('conflict', `the browser that is waiting for a token has the origin ${claim.claimant.origin}`);
  }

  #countWrongCode(window: Window, origin: string): void {
    window.wrong.set(origin, (window.wrong.get(origin) ?? 0) + 1);
    window.triesLeft -= 1;
    if (window.triesLeft > 0) return;
    this.#tooManyWrongCodes = true;
    this.close();
  }

  /** Resolves when the window is no longer `open`, after `waitMs`, or when the caller has disconnected. */
  async untilClaimed(waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#window === null || this.#window.claim !== null || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancelTimer = this.#deps.clock.after(waitMs, done);
      const unsubscribe = this.changed.on((state) => {
        if (state !== 'open') done();
      });
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        cancelTimer();
        unsubscribe();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }
}
