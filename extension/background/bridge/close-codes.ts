/** What each close code of the agent means for the next attempt. */
import type { BridgeStatus } from './status.ts';

export interface CloseVerdict {
  state: Extract<BridgeStatus['state'], 'unreachable' | 'closed' | 'token_refused' | 'replaced'>;
  /** The shortest wait before the next attempt; null: none until a person or a new pairing asks for it. */
  minWaitMs: number | null;
}

const MALFORMED = 4400;
const TOKEN = 4401;
const NO_HELLO = 4408;
const REPLACED = 4409;
const TOO_FAST = 4429;
/** A connection that was refused before it was open ends with this code too. */
const ABNORMAL = 1006;

export function verdictOf(code: number, wasOpen: boolean): CloseVerdict {
  switch (code) {
    // This extension and the agent do not understand each other; a quick attempt would end in the same way.
    case MALFORMED:
      return { state: 'closed', minWaitMs: 15_000 };
    case TOKEN:
      return { state: 'token_refused', minWaitMs: null };
    // Two browsers under one id would replace each other without end.
    case REPLACED:
      return { state: 'replaced', minWaitMs: null };
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
