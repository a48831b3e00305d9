/** The agent's own HTTP API on loopback: pairing of a browser, and what the node shows of itself. */
import { z } from 'zod';
import { ExtensionOriginSchema } from './bridge-frames.ts';
import { ClientIdSchema, DurationMsSchema } from './common.ts';

/** `POST /v1/pairings`: pins a browser; `token` is the client's own, minted by whoever calls. */
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

/** `POST /v1/pairing`: the window is open, the code is shown to a person. */
export const PairingOpenResponseSchema = z.object({ code: z.string(), expires_in_ms: DurationMsSchema });

/** `GET /v1/pairing`: a browser has named the code (`claimed`) and waits for its token. */
export const PairingWindowSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('closed') }),
  z.object({ state: z.literal('open'), expires_in_ms: DurationMsSchema, tries_left: z.number().int() }),
  z.object({ state: z.literal('claimed'), expires_in_ms: DurationMsSchema, origin: z.string(), client_id: z.string() }),
]);
export type PairingWindowView = z.infer<typeof PairingWindowSchema>;
