/**
 * Whether a call through MCP repeats an earlier one of the same token, so that one call has one effect however often it is
 * sent. MCP without sessions has no name for a call but its JSON-RPC id, and clients number from 1 each; so that id counts
 * only with the same tool and arguments, and for a minute.
 */
import canonicalize from 'canonicalize';
import type { InstructionInput, InstructionState } from '../contracts/instructions.ts';
import { MCP } from '../defaults.ts';
import { isOpenStatus } from './instruction-machine.ts';
import { wellFormed } from './well-formed.ts';

/** The text whose hash is the key of the instruction that a call makes. */
export function mcpDedupeText(
  message_id: string,
  { target, tool, params }: Pick<InstructionInput, 'target' | 'tool' | 'params'>,
): string {
  return canonicalize(['mcp', message_id, target, tool, wellFormed(params)]) ?? '';
}

/** A stored call with the operation id of the new one; or, when that has none, with its tool and arguments and none either. */
export interface EarlierCall {
  request_id: string;
  call_hash: string;
  created_at: number;
  ended_at: number | null;
  /** Of its instruction; null when there is none, or none yet. */
  status: InstructionState | null;
  /** When its instruction ended or was stopped; null while it is open. */
  stopped_at: number | null;
}

export interface NewCall {
  operation_id: string | null;
  request_id: string;
  call_hash: string;
  now: number;
}

/** How long a waiting request pauses after the pause before it, or as the first time; never longer than what is left. */
export function nextPause(beforeMs: number | null, leftMs: number): number {
  const grown = beforeMs === null ? MCP.poll_first_ms : Math.min(beforeMs * 2, MCP.poll_longest_ms);
  return Math.max(0, Math.min(grown, leftMs));
}

/**
 * The call among `earlier` that the new one repeats: those with its operation id; or, when it has none, those with its tool
 * and arguments and none either, the newest first. `conflict` when its operation id was used with another call; null for a
 * first one.
 */
export function repeatedCall<T extends EarlierCall>(earlier: readonly T[], call: NewCall): T | 'conflict' | null {
  if (call.operation_id !== null) {
    const [named] = earlier;
    if (named === undefined) return null;
    return named.call_hash === call.call_hash ? named : 'conflict';
  }
  const isSame = (one: EarlierCall) =>
    one.request_id === call.request_id && one.created_at > call.now - MCP.request_id_ms;
  return earlier.find(isSame) ?? earlier.find((one) => isJoined(one, call.now)) ?? null;
}

/** It is in progress, or has ended just now. */
function isJoined({ created_at, ended_at, status, stopped_at }: EarlierCall, now: number): boolean {
  if (status !== null && isOpenStatus(status)) return true;
  const end = ended_at ?? stopped_at;
  return end === null ? created_at > now - MCP.judged_within_ms : end > now - MCP.join_ms;
}
