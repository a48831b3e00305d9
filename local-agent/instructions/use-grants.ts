/**
 * Grants that the edge offers for instructions which ask. This host judges each, by its policy and the folder as it is now;
 * for one that covers the call it asks the edge to count it. The approval then comes like that of a person, bound to the
 * hash of what was described. Whenever something fails on the way, a person is asked as without a grant.
 */
import type { GrantUseBody } from '../../schema/contracts/grants.ts';
import type { ClaimedInstruction } from '../../schema/contracts/instructions.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import { parseCall } from '../tools/tool-call.ts';
import type { ExecutionStore } from './execution-store.ts';

export interface UseGrantsDeps {
  store: Pick<Store, 'outbox'>;
  nodeId: string;
  executions: Pick<ExecutionStore, 'message' | 'execution'>;
  hostPolicy: Pick<HostPolicy, 'isGranted'>;
}

/** Inside the transaction that handles the response with the offers. */
export function useGrants(deps: UseGrantsDeps, offered: readonly ClaimedInstruction[]): void {
  for (const { instruction_id, grant } of offered) {
    if (grant === undefined) continue;
    const { store, nodeId, executions, hostPolicy } = deps;
    const execution = executions.execution(instruction_id);
    const message = execution && executions.message(execution.message_id);
    if (!message || execution.status !== 'awaiting_approval') continue;
    const parsed = parseCall(execution.name, execution.params);
    const from = { platform: message.platform, conversation_id: message.remote_conversation_id };
    if (!parsed.ok || !hostPolicy.isGranted(parsed.call, from, grant)) continue;
    const { grant_id, approval_hash } = grant;
    store.outbox.append({
      stream: conversationStream(message),
      kind: 'grant_use',
      method: 'POST',
      path: `/v1/instructions/${instruction_id}/use-grant`,
      body: { controller_id: nodeId, grant_id, approval_hash } satisfies GrantUseBody,
      context: {},
    });
  }
}
