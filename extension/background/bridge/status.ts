/** The connection to the agent, as a person sees it. */

/**
 * - `unpaired`: no agent is known yet.
 * - `bad_address`: the address of the agent is not one on this machine.
 * - `connecting`, `connected`.
 * - `unreachable`: nothing listens there, or it refuses this extension; it is tried again at `retryAt`.
 * - `closed`: the agent has closed the connection, for `reason`; it is tried again at `retryAt`.
 * - `unproven`: what listens there could not prove that it is the agent of this browser; it is tried again at `retryAt`.
 * - `token_refused`: the agent does not take the token; the browser has to be paired again.
 * - `replaced`: another Firefox has connected under the same id.
 */
export interface BridgeStatus {
  state:
    | 'unpaired'
    | 'bad_address'
    | 'connecting'
    | 'connected'
    | 'unreachable'
    | 'closed'
    | 'unproven'
    | 'token_refused'
    | 'replaced';
  reason: string | null;
  retryAt: number | null;
}
