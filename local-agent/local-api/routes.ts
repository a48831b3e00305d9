/** The routes of the local API. */
import { z } from 'zod';
import { PairingBodySchema } from '../../schema/contracts/local-api.ts';
import { BRIDGE } from '../../schema/defaults.ts';
import type { Pairing } from '../bridge/pairing.ts';
import type { LocalRoute } from './server.ts';
import { parseInput } from './server.ts';

const NothingSchema = z.strictObject({});
const WaitSchema = z.strictObject({
  wait_ms: z.coerce.number().int().min(0).max(BRIDGE.pairing_wait_max_ms).default(0),
});

export interface LocalRouteDeps {
  pairing: Pairing;
  /** The runtime snapshot: identity, lease, loops, outbox, clients, warnings. */
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
        const { wait_ms: waitMs } = parseInput(WaitSchema, Object.fromEntries(query));
        await pairing.untilClaimed(waitMs, signal);
        return pairing.view();
      },
    },
    {
      method: 'POST',
      path: '/v1/pairings',
      run({ body }) {
        const pin = parseInput(PairingBodySchema, body);
        const told = pairing.pin(pin);
        return { origin: pin.origin, client_id: pin.client_id, waiting_browser_told: told };
      },
    },
  ];
}
