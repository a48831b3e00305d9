/** Where the local API may listen, and which `Host` headers it accepts: loopback names only, against DNS rebinding. */
import { AppError } from '../../schema/errors.ts';
import { isLoopback } from '../lib/loopback.ts';

const HTTP_PORT = 80;

export interface LoopbackAddress {
  /** As a socket takes it: without brackets. */
  hostname: string;
  port: number;
}

/** @throws AppError `invalid_request` when it is not `http://` on a loopback name. */
export function parseLocalApi(address: string): LoopbackAddress {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol !== 'http:' || !isLoopback(url.hostname)) {
    throw new AppError(
      'invalid_request',
      `BAA_CONDUCTOR_LOCAL_API is ${JSON.stringify(address)}; it must be http:// on 127.0.0.1, localhost or [::1]`,
      { details: { field: 'BAA_CONDUCTOR_LOCAL_API', expected: 'http://127.0.0.1:<port>' } },
    );
  }
  return { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? HTTP_PORT : Number(url.port) };
}

/** Whether a `Host` header names this server: a loopback name and the server's port. */
export function isOwnHost(header: string | undefined, port: number | undefined): boolean {
  const url = header !== undefined && URL.canParse(`http://${header}`) ? new URL(`http://${header}`) : null;
  if (url === null || url.host !== header?.toLowerCase().replace(/:80$/, '')) return false;
  return isLoopback(url.hostname) && (url.port === '' ? HTTP_PORT : Number(url.port)) === port;
}
