/**
 * Closes the connection of a browser whose token the edge no longer accepts, with 4401: the extension then asks for a new
 * pairing. A token is checked at each hello, when the edge reports its revocation, after a reconnect to the edge, and every
 * few minutes. An edge that cannot say changes nothing.
 */
import type { Logger } from 'pino';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import type { ConnectedBrowsers } from '../browsers/connected-browsers.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { readTokenOwner } from './confirm-token.ts';

export interface TokenWatchDeps {
  edge: Pick<EdgeClient, 'call'>;
  connected: ConnectedBrowsers;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn'>;
}

const UNAUTHORIZED = 401;
/** Of a close frame; at most 123 bytes. */
const REASON = 'the edge no longer accepts the token of this browser; pair it again';

export class TokenWatch {
  readonly #deps: TokenWatchDeps;
  #cancel: () => void = () => undefined;

  constructor(deps: TokenWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#cancel = this.#deps.clock.after(BRIDGE.token_check_ms, () => {
      this.start();
      void this.checkAll();
    });
  }

  stop(): void {
    this.#cancel();
  }

  async checkAll(): Promise<void> {
    await Promise.all(this.#deps.connected.all().map(({ clientId }) => this.check(clientId)));
  }

  /** Asks the edge about the token of that browser, if it is connected. */
  async check(clientId: string): Promise<void> {
    const { edge, connected, log } = this.#deps;
    const token = connected.tokenOf(clientId);
    if (token === null) return;
    try {
      if ((await readTokenOwner(edge, token)) === clientId) return;
    } catch (error) {
      if (!(error instanceof EdgeError) || error.status !== UNAUTHORIZED) {
        log.warn(
          { err: error, client_id: clientId },
          'the token of a browser could not be checked; it is checked again',
        );
        return;
      }
    }
    // It may have been paired again meanwhile.
    if (connected.tokenOf(clientId) !== token) return;
    log.info({ client_id: clientId }, `${REASON}; its connection is closed`);
    connected.close(clientId, CLOSE.token, REASON);
  }
}
