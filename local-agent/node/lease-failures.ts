/** What the log says of lease requests that failed: whether the edge has refused them, and the same at most once a minute. */
import type { Logger } from 'pino';
import { EdgeError } from '../edge/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { LogLimit } from '../lib/log-limit.ts';
import { RateLimiter } from '../lib/rate-limit.ts';

const ONCE_A_MINUTE = { perSec: 1 / 60, burst: 1 };

function textOf(error: unknown): string {
  const isRefused = error instanceof EdgeError && error.kind === 'status';
  return isRefused ? `the edge refused a lease request: ${error.code}` : 'a lease request got no response';
}

/** Writes one line for a failed lease request. */
export function leaseFailures(clock: Clock, log: Pick<Logger, 'warn'>): (request: string, error: unknown) => void {
  const newLimit = () => new LogLimit(new RateLimiter(ONCE_A_MINUTE, () => clock.monotonic()));
  let last = '';
  let limit = newLimit();
  return (request, error) => {
    const text = textOf(error);
    if (text !== last) limit = newLimit();
    last = text;
    limit.write((left_out) => log.warn({ request, error, left_out }, text));
  };
}
