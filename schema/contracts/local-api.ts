/** The agent's own HTTP API on loopback: pairing a browser, and the state of the node. */
import { z } from 'zod';
import { ExtensionOriginSchema } from './bridge-frames.ts';
import { ClientIdSchema, DurationMsSchema } from './common.ts';

/** `POST /v1/pairings`: pins a browser. `token` is the browser's own; the edge must confirm it. */
export const PairingBodySchema = z.strictObject({
  origin: ExtensionOriginSchema,
  client_id: ClientIdSchema,
  token: z.string().trim().min(16).max(256),
});
export type PairingBody = z.infer<typeof PairingBodySchema>;
export const PairingResponseSchema = z.object({
  origin: z.string(),
  client_id: z.string(),
  waiting_browser_told: z.boolean(),
});

/** `POST /v1/pairing`: opens the pairing window. The code is shown to a person. */
export const PairingOpenResponseSchema = z.object({ code: z.string(), expires_in_ms: DurationMsSchema });

/** `GET /v1/pairing`. `claimed`: a browser has sent the code and waits for its token. */
export const PairingWindowSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('closed'),
    /** Whether the last window was closed because too many wrong codes were sent. */
    too_many_wrong_codes: z.boolean().default(false),
  }),
  z.object({ state: z.literal('open'), expires_in_ms: DurationMsSchema, tries_left: z.number().int() }),
  z.object({ state: z.literal('claimed'), expires_in_ms: DurationMsSchema, origin: z.string(), client_id: z.string() }),
]);
export type PairingWindowView = z.input<typeof PairingWindowSchema>;
