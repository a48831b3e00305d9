/**
 * What agent and browser prove to each other at the beginning of a bridge connection. Both hash the browser's token; the
 * hash is the key of an HMAC over this text. Each side's nonce is fresh, so no proof is valid twice; the purpose is named,
 * so the proof of one side is none of the other; the agent's port is named, so a program on another port cannot pass
 * the proofs of the real agent on.
 */
export interface BridgeHandshake {
  browser_nonce: string;
  agent_nonce: string;
  /** `moz-extension://<uuid>`. */
  origin: string;
  client_id: string;
  /** The agent's own, to which the browser has connected. */
  port: number;
}

/** `seal`: the key under which the browser hands its token to the agent that has proved itself. */
export type ProofPurpose = 'agent' | 'browser' | 'seal';

const VERSION = 'baa-bridge-1';

export function bridgeProofText(purpose: ProofPurpose, handshake: BridgeHandshake): string {
  const { browser_nonce, agent_nonce, origin, client_id, port } = handshake;
  return JSON.stringify([VERSION, purpose, browser_nonce, agent_nonce, origin, client_id, port]);
}
