/** Asks the edge to run an instruction that this node does not run itself: an edge tool, or another node's browser. */
import type { InstructionRunBody } from '../../schema/contracts/instructions.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { MessageRow } from './execution-store.ts';

export interface RemoteCallDeps {
  outbox: Store['outbox'];
  nodeId: string;
  /** A longer output is shortened in the reply, so the edge stores it as an artifact. */
  inlineChars: number;
}

/** Inside the caller's transaction. Also asks for the result of one that has ended. */
export function requestRemoteRun(
  { outbox, nodeId, inlineChars }: RemoteCallDeps,
  message: MessageRow,
  instructionId: string,
): void {
  outbox.append({
    stream: conversationStream(message),
    kind: 'run',
    method: 'POST',
    path: `/v1/instructions/${instructionId}/run`,
    body: { controller_id: nodeId, inline_chars: inlineChars } satisfies InstructionRunBody,
    context: { instruction_id: instructionId },
  });
}
