/** The routes of the local API. */
import { z } from 'zod';
import { checkValue, fieldIssues, firstIssueText } from '../../schema/contracts/issues.ts';
import type { PairingBody, PairingWindowView } from '../../schema/contracts/local-api.ts';
import { PairingBodySchema } from '../../schema/contracts/local-api.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import type { LocalRoute } from './app.ts';

const NothingSchema = z.strictObject({});
const WaitSchema = z.strictObject({
  wait_ms: z.coerce.number().int().min(0).max(BRIDGE.pairing_wait_max_ms).default(0),
});

/** The pairing window, as the bridge keeps it. */
export interface PairingPort {
  open(): { code: string; expires_in_ms: number };
  view(): PairingWindowView;
  /** Resolves when the window is no longer `open`, after `waitMs`, or when the caller has disconnected. */
  untilClaimed(waitMs: number, signal: AbortSignal): Promise<void>;
  /** True when a browser was waiting for this token and has received it. @throws AppError when the edge does not confirm it */
  pin(pairing: PairingBody): Promise<boolean>;
}

export interface LocalRouteDeps {
  pairing: PairingPort;
  /** The runtime snapshot: identity, lease, loops, outbox, browsers, warnings. */
  status: () => unknown;
  /** Connected browsers and the pacing of deliveries. */
  browser: () => unknown;
}

export function localRoutes({ pairing, status, browser }: LocalRouteDeps): LocalRoute[] {
  return [
    { method: 'GET', path: '/v1/status', run: () => status() },
    { method: 'GET', path: '/v1/browser', run: () => browser() },
    {
      method: 'POST',
      path: '/v1/pairing',
      run({ body }) {
        parseInput(NothingSchema, body);
        return pairing.open();
      },
    },
    {
      method: 'GET',
      path: '/v1/pairing',
      async run({ query, signal }) {
        const { wait_ms: waitMs } = parseInput(WaitSchema, query);
        await pairing.untilClaimed(waitMs, signal);
        return pairing.view();
      },
    },
    {
      method: 'POST',
      path: '/v1/pairings',
      async run({ body }) {
        const pin = parseInput(PairingBodySchema, body);
        return { origin: pin.origin, client_id: pin.client_id, waiting_browser_told: await pairing.pin(pin) };
      },
    },
  ];
}

/** Parses with a contract. @throws AppError `invalid_request` that names the first wrong field */
function parseInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = checkValue(schema, value);
  if (parsed.success) return parsed.data;
  const [issue] = fieldIssues(parsed.error, 'body', 1);
  throw new AppError('invalid_request', firstIssueText(parsed.error, 'body'), { details: { ...issue } });
}
