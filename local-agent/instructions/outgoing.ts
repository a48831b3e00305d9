/** What instructions have sent into chats, as they need it. The delivery manager of this node implements it. */
import type { Platform } from '../../schema/contracts/common.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';

export interface OutgoingMessage {
  /** Sent once, however often it is queued. */
  plan_id: string;
  /** The message of a reply; the instruction or command of a prompt. */
  subject_id: string;
  platform: Platform;
  client_id: string;
  conversation_id: string | null;
  target: TargetPayload;
  message_text: string;
  assistant_message_id: string | null;
  timeout_ms: number;
}

/** Who requested a prompt: an instruction of this node, or a command of the edge. */
export type PromptSubject = 'instruction' | 'command';

export interface PromptEnd {
  subject_kind: PromptSubject;
  subject_id: string;
  result: DeliveryResult;
}

/** Both queue inside the caller's transaction. A plan that is known already is left as it is. */
export interface OutgoingQueue {
  enqueueReply(reply: OutgoingMessage): void;
  /** Its end comes to `Instructions.promptEnded`, inside the transaction that stores it. */
  enqueuePrompt(prompt: OutgoingMessage, requestedBy: PromptSubject): void;
}
