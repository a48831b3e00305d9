/** What each close code of the agent means for the next attempt. */
import type { BridgeStatus } from './status.ts';

export interface CloseVerdict {
  state: Extract<BridgeStatus['state'], 'unreachable' | 'closed' | 'unproven' | 'token_refused' | 'replaced'>;
  /** The shortest wait before the next attempt; null: none until a person or a new pairing asks for it. */
  minWaitMs: number | null;
}

const MALFORMED = 4400;
const TOKEN = 4401;
const NO_HELLO = 4408;
const REPLACED = 4409;
const TOO_FAST = 4429;
/** Ours: the peer has sent something else than the proof of the agent. No peer can send this code. */
export const UNPROVEN = 0;
/** How long a refusal of a peer that may not be the agent keeps this browser from the next attempt. */
const UNPROVEN_REFUSAL_MS = 60_000;
/** A connection that was refused before it was open ends with this code too. */
const ABNORMAL = 1006;

/** Who is at the other end, as far as it is known. */
export interface Peer {
  wasOpen: boolean;
  /** It is the agent of the pairing. */
  isProved: boolean;
}

export function verdictOf(code: number, { wasOpen, isProved }: Peer): CloseVerdict {
  switch (code) {
    case UNPROVEN:
      return { state: 'unproven', minWaitMs: 15_000 };
    // This extension and the agent do not understand each other; a quick attempt would end in the same way.
    case MALFORMED:
      return { state: 'closed', minWaitMs: 15_000 };
    // A program that is not the agent must not be able to end the attempts.
    case TOKEN:
      return { state: 'token_refused', minWaitMs: isProved ? null : UNPROVEN_REFUSAL_MS };
    // Two browsers under one id would replace each other without end.
    case REPLACED:
      return isProved ? { state: 'replaced', minWaitMs: null } : { state: 'closed', minWaitMs: UNPROVEN_REFUSAL_MS };
    case TOO_FAST:
      return { state: 'closed', minWaitMs: 60_000 };
    case NO_HELLO:
      return { state: 'closed', minWaitMs: 0 };
    case ABNORMAL:
      return { state: wasOpen ? 'closed' : 'unreachable', minWaitMs: 0 };
    default:
      return { state: 'closed', minWaitMs: 0 };
  }
}
