/** The conversations of the fake ChatGPT, as trees: an answer that is made again is another child of the same question. */
import type { Aside, Turn } from './turn.ts';

export interface StoredMessage {
  id: string;
  parent: string | null;
  author: { role: 'user' | 'assistant' | 'tool' };
  channel: string | null;
  recipient: string;
  content: { content_type: string; parts?: string[]; thoughts?: object[]; text?: string; content?: string };
  status: 'in_progress' | 'finished_successfully';
  end_turn: boolean | null;
  metadata: { finish_details?: { type: string }; turn_exchange_id?: string };
  create_time: number;
}

export interface Conversation {
  id: string;
  messages: Map<string, StoredMessage>;
  current: string | null;
  isTemporary: boolean;
}

const NAMESPACE = '6740aa00-0000-4000-8000-';
let made = 0;
/** A UUID without meaning that is unique in this run. */
export function newId(): string {
  made += 1;
  return NAMESPACE + made.toString(16).padStart(12, '0');
}

function message(over: Partial<StoredMessage>): StoredMessage {
  return {
    id: newId(),
    parent: null,
    author: { role: 'assistant' },
    channel: 'final',
    recipient: 'all',
    content: { content_type: 'text', parts: [''] },
    status: 'finished_successfully',
    end_turn: null,
    metadata: {},
    create_time: Date.now() / 1000,
    ...over,
  };
}

export function userMessage(id: string, parent: string | null, text: string): StoredMessage {
  return message({
    id,
    parent,
    author: { role: 'user' },
    channel: null,
    content: { content_type: 'text', parts: [text] },
  });
}

const ASIDES: Record<Aside['kind'], (text: string) => Partial<StoredMessage>> = {
  thoughts: (text) => ({
    channel: null,
    content: { content_type: 'thoughts', thoughts: [{ summary: 'Thinking', content: text }] },
  }),
  recap: (text) => ({ channel: null, content: { content_type: 'reasoning_recap', content: text } }),
  tool_call: (text) => ({ channel: 'commentary', recipient: 'python', content: { content_type: 'code', text } }),
  tool_output: (text) => ({
    author: { role: 'tool' },
    channel: null,
    content: { content_type: 'execution_output', text },
  }),
  commentary: (text) => ({ channel: 'commentary', end_turn: false, content: { content_type: 'text', parts: [text] } }),
};

/** The messages of one turn as they are at its end. The last one is the answer. */
export function turnMessages(turn: Turn, question: string): StoredMessage[] {
  const asides = (turn.asides ?? []).map(({ kind, text }) => message(ASIDES[kind](text)));
  const answer = message({
    content: { content_type: 'text', parts: [turn.text] },
    end_turn: true,
    metadata: { finish_details: { type: turn.finish ?? 'stop' } },
  });
  const all = [...asides, answer];
  for (const [index, one] of all.entries()) one.parent = all[index - 1]?.id ?? question;
  return all;
}

/** From the beginning to the current message. */
export function branch({ messages, current }: Conversation): StoredMessage[] {
  const found: StoredMessage[] = [];
  for (let at = messages.get(current ?? ''); at; at = messages.get(at.parent ?? '')) found.push(at);
  return found.reverse();
}

function bare({ parent: _, ...stored }: StoredMessage): object {
  return stored;
}

export function readingAsList(conversation: Conversation): object {
  return {
    id: conversation.id,
    title: 'A chat',
    messages: branch(conversation).map(bare),
    current_node: conversation.current,
    page_info: { has_previous_page: false, start_cursor: null },
  };
}

export function readingAsTree(conversation: Conversation): object {
  const ids = [...conversation.messages.keys()];
  const nodes = [...conversation.messages.values()].map((one) => {
    const children = ids.filter((id) => conversation.messages.get(id)?.parent === one.id);
    return [one.id, { id: one.id, message: bare(one), parent: one.parent ?? 'root', children }];
  });
  return {
    title: 'A chat',
    conversation_id: conversation.id,
    mapping: { root: { id: 'root', message: null, parent: null, children: [] }, ...Object.fromEntries(nodes) },
    current_node: conversation.current,
  };
}
