/** The page of a legacy account: JSON requests, and an answer as server-sent events. */
import type { Send, Transport, TransportEvents } from './transport.ts';

const ROOT_PARENT = '00000000-0000-4000-8000-000000000000';

interface Tree {
  current_leaf_message_uuid: string;
  chat_messages: { uuid: string; parent_message_uuid: string; sender: 'human' | 'assistant'; content: Block[] }[];
}
interface Block {
  type: string;
  text?: string;
}
interface SseData {
  type: string;
  index?: number;
  delta?: { type?: string; text?: string };
  content_block?: { type: string };
  error?: { type: string };
}

export class JsonTransport implements Transport {
  readonly #events: TransportEvents;
  readonly #base: string;
  #running: AbortController | null = null;

  constructor(events: TransportEvents, organizationId: string) {
    this.#events = events;
    this.#base = `/api/organizations/${organizationId}/chat_conversations`;
  }

  open(conversationId: string, isNew: boolean): void {
    if (!isNew) void this.#load(conversationId);
  }

  async #load(conversationId: string): Promise<void> {
    const query = 'tree=True&rendering_mode=messages&render_all_tools=true';
    const response = await fetch(`${this.#base}/${conversationId}?${query}`);
    if (!response.ok) return this.#events.failed(`http ${response.status}`);
    const tree = (await response.json()) as Tree;
    for (const { uuid, parent_message_uuid: parent, sender, content } of tree.chat_messages) {
      const text = content.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join('\n\n');
      const parentId = parent === ROOT_PARENT ? '' : parent;
      const turn = { id: uuid, parentId, role: sender, text, isStreaming: false };
      this.#events.put(turn, tree.current_leaf_message_uuid);
    }
  }

  async send(send: Send): Promise<void> {
    const isRetry = send.kind === 'retry';
    if (!isRetry) {
      const human = {
        id: send.humanId,
        parentId: send.parentId,
        role: 'human',
        text: send.text,
        isStreaming: false,
      } as const;
      this.#events.put(human, send.humanId);
    }
    const body = {
      ...(!isRetry && { prompt: send.text }),
      parent_message_uuid: send.parentId || ROOT_PARENT,
      timezone: 'Etc/UTC',
      rendering_mode: 'messages',
      attachments: [],
      files: [],
      turn_message_uuids: {
        ...(!isRetry && { human_message_uuid: send.humanId }),
        assistant_message_uuid: send.assistantId,
      },
      ...(send.isTemporary && { create_conversation_params: { is_temporary: true } }),
    };
    this.#running = new AbortController();
    this.#events.running(true);
    try {
      const url = `${this.#base}/${send.conversationId}/${isRetry ? 'retry_completion' : 'completion'}`;
      const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
      const { signal } = this.#running;
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
      if (!response.ok || !response.body) this.#events.failed(`http ${response.status}`);
      else await this.#read(response.body, send);
    } catch (error) {
      this.#events.failed(String(error));
    }
    this.#events.running(false);
  }

  stop(): void {
    this.#running?.abort();
  }

  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>, send: Send): Promise<void> {
    const parentId = send.kind === 'retry' ? send.parentId : send.humanId;
    const texts = new Map<number, string>();
    const show = (isStreaming: boolean) => {
      const text = [...texts.values()].join('\n\n');
      this.#events.put({ id: send.assistantId, parentId, role: 'assistant', text, isStreaming }, send.assistantId);
    };
    let rest = '';
    try {
      for await (const text of body.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>) {
        const lines = (rest + text).split(/\r?\n/);
        rest = lines.pop() ?? '';
        for (const line of lines) {
          if (!line.startsWith('data: ')) continue;
          const { type, index = 0, delta, error } = JSON.parse(line.slice(6)) as SseData;
          if (type === 'error') this.#events.failed(error?.type ?? 'error');
          if (type !== 'content_block_delta' || delta?.type !== 'text_delta') continue;
          texts.set(index, (texts.get(index) ?? '') + (delta.text ?? ''));
          show(true);
        }
      }
    } finally {
      show(false);
    }
  }
}
