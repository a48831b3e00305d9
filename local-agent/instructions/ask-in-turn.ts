/**
 * When an instruction that asks a person is described. What runs before it may change what it would do, and makes an
 * approval void; so it is described when all before it have ended: the first of a message with the message, a later one
 * with a progress report at its turn. What the edge or a browser runs is described by the edge.
 */
import type { Approval, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import { findTool, TOOLS } from '../../schema/contracts/tools.ts';
import { Turns } from '../lib/turns.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import { parseCall } from '../tools/tool-call.ts';
import type { ExecutionRow } from './execution-store.ts';

/** The instruction that asks at once: the first of a message that may run, if it asks. */
export function asksAtOnce<T extends { policy: PolicyVerdict }>(judged: readonly T[]): T | undefined {
  const first = judged.find(({ policy }) => policy.decision !== 'deny' && policy.decision !== 'shadow');
  return first?.policy.decision === 'ask' ? first : undefined;
}

/** Whether the edge waits for the description of an instruction whose turn has come. */
export function mustBeDescribed({
  name,
  status,
  asked_seq,
}: Pick<ExecutionRow, 'name' | 'status' | 'asked_seq'>): boolean {
  const tool = findTool(name);
  return status === 'awaiting_approval' && asked_seq === null && tool !== null && TOOLS[tool].where === 'host';
}

/** What a person is asked about it; null when it is no call that could run, which no person can approve. */
export async function describeCall(
  hostPolicy: Pick<HostPolicy, 'approvalInTurns'>,
  { name, params }: Pick<ExecutionRow, 'name' | 'params'>,
): Promise<Approval | null> {
  const parsed = parseCall(name, params);
  return parsed.ok ? await hostPolicy.approvalInTurns(parsed.call, new Turns()) : null;
}
