/** The conversations that the fake claude.ai keeps: messages with display groups and blocks, as a tree. */
import type { WireUpdate } from './timeline.ts';
import { ROLE, STATUS, STOP, STYLE } from './timeline.ts';

export type StopName = keyof typeof STOP | null;

export interface FakeMessage {
  id: string;
  /** Empty for the first message. */
  parentId: string;
  sender: 'human' | 'assistant';
  index: number;
  /** Text, and content of tools and thinking, in order. */
  parts: { kind: 'text' | 'thinking' | 'tool'; text: string }[];
  stop: StopName;
  isComplete: boolean;
}

const ROOT_PARENT = '00000000-0000-4000-8000-000000000000';
export class FakeConversation {
  readonly id: string;
  readonly isTemporary: boolean;
  readonly messages: FakeMessage[] = [];
  leaf = '';

  constructor(id: string, isTemporary: boolean) {
    this.id = id;
    this.isTemporary = isTemporary;
  }

  add(message: Omit<FakeMessage, 'index' | 'stop' | 'isComplete'> & Partial<FakeMessage>): FakeMessage {
    const added = { index: this.messages.length, stop: null, isComplete: message.sender === 'human', ...message };
    this.messages.push(added);
    this.leaf = added.id;
    return added;
  }

  find(id: string): FakeMessage | undefined {
    return this.messages.find((message) => message.id === id);
  }

  /** What a tree GET gives. */
  tree(): object {
    return {
      uuid: this.id,
      name: 'A title',
      model: 'claude-x',
      is_temporary: this.isTemporary,
      current_leaf_message_uuid: this.leaf,
      chat_messages: this.messages.map((message) => ({
        uuid: message.id,
        parent_message_uuid: message.parentId || ROOT_PARENT,
        sender: message.sender,
        index: message.index,
        created_at: '2026-11-26T00:00:00Z',
        stop_reason: message.sender === 'human' ? null : message.stop,
        content: message.parts.map(
          ({ kind, text }) =>
            ({
              text: { type: 'text', text },
              thinking: { type: 'thinking', thinking: text },
              tool: { type: 'tool_result', content: [{ type: 'text', text }] },
            })[kind],
        ),
        attachments: [],
        files: [],
      })),
    };
  }

  /** The branch that is shown, newest messages only, as the first envelope of a timeline. Blocks get other ids in each. */
  snapshot(isRunning: boolean, blocks: string, newest = 40): WireUpdate {
    const shown = this.branch().slice(-newest);
    return {
      replaceAll: true,
      conversation: {
        id: this.id,
        status: isRunning ? STATUS.running : STATUS.idle,
        leaf: this.leaf,
        isTemporary: this.isTemporary,
      },
      ...partsOf(shown, blocks),
    };
  }

  branch(): FakeMessage[] {
    const branch: FakeMessage[] = [];
    for (let at = this.find(this.leaf); at; at = this.find(at.parentId)) branch.unshift(at);
    return branch;
  }
}

/** Messages with their groups and blocks. `blocks`: part of the ids of the blocks. */
export function partsOf(messages: readonly FakeMessage[], blocks: string): WireUpdate {
  const parts = messages.flatMap((message) => message.parts.map((part, index) => ({ message, part, index })));
  return {
    messages: messages.map((message) => ({
      id: message.id,
      role: message.sender === 'human' ? ROLE.human : ROLE.assistant,
      index: message.index,
      isComplete: message.isComplete,
      stopReason: message.isComplete && message.stop ? STOP[message.stop] : undefined,
      parentId: message.parentId,
    })),
    groups: parts.map(({ message, part, index }) => ({
      id: groupId(message.id, index),
      messageId: message.id,
      index,
      style: part.kind === 'text' ? STYLE.inline : STYLE.timeline,
    })),
    blocks: parts.map(({ message, part, index }) => ({
      id: blockId(message.id, index, blocks),
      groupId: groupId(message.id, index),
      text: part.kind === 'thinking' ? undefined : part.text,
      tool: part.kind === 'tool' ? 'Bash' : undefined,
    })),
  };
}

export const groupId = (messageId: string, index: number) => `dgrp_${messageId.slice(0, 8)}_${index}`;
export const blockId = (messageId: string, index: number, part: string) =>
  `cblk_${messageId.slice(0, 8)}_${index}_${part}`;
