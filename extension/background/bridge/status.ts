/** The connection to the agent, as a person sees it. */

/**
 * - `unpaired`: no agent is known yet.
 * - `bad_address`: the address of the agent is not one on this machine.
 * - `connecting`, `connected`.
 * - `unreachable`: nothing listens there, or it refuses this extension; it is tried again at `retryAt`.
 * - `closed`: the agent has closed the connection, for `reason`; it is tried again at `retryAt`.
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
    | 'token_refused'
    | 'replaced';
  reason: string | null;
  retryAt: number | null;
}
