/** What the page of either kind of account does with a conversation. */
import type { Turn } from './thread.ts';

export interface Send {
  conversationId: string;
  isTemporary: boolean;
  humanId: string;
  assistantId: string;
  text: string;
  /** Empty for the first message. */
  parentId: string;
  kind: 'message' | 'edit' | 'retry';
}

export interface TransportEvents {
  clear(): void;
  put(turn: Turn, leaf: string): void;
  running(isRunning: boolean): void;
  failed(reason: string): void;
}

export interface Transport {
  /** Shows a conversation; one that is new has no messages yet. */
  open(conversationId: string, isNew: boolean): void;
  send(send: Send): Promise<void>;
  stop(conversationId: string): void;
}
