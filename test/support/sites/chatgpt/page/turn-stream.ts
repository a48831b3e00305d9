/** How the page follows a turn: the stream of its request, or a WebSocket after a handoff. */
import { SECRET } from '../../secrets.ts';

export interface Shown {
  conversationId: string | null;
  id: string;
  text: string;
  isFinished: boolean;
}

interface Delta {
  p?: string;
  o?: string;
  v?: unknown;
}
interface StreamedMessage {
  id: string;
  author: { role: string };
  channel?: string | null;
  recipient?: string;
  content: { content_type: string; parts?: string[] };
  status: string;
}
interface Frame extends Delta {
  type?: string;
  conversation_id?: string;
  message?: StreamedMessage | null;
  error?: string | null;
  options?: { type: string; topic_id?: string }[];
}

/** Reads the frames of one turn and reports the answer after each. */
export class Follower {
  conversationId: string | null = null;
  topic: string | null = null;
  error: string | null = null;
  isComplete = false;
  variants = 1;
  #message: StreamedMessage | null = null;
  #path = '';
  #operation = 'add';
  #rest = '';
  readonly #show: (shown: Shown) => void;

  constructor(show: (shown: Shown) => void) {
    this.#show = show;
  }

  take(text: string): void {
    const events = (this.#rest + text).split('\n\n');
    this.#rest = events.pop() ?? '';
    for (const event of events) this.#takeEvent(event);
  }

  #takeEvent(event: string): void {
    const data = /^data: (.*)$/m.exec(event)?.[1] ?? '';
    if (data === '[DONE]' || data === '"v1"' || data === '') return;
    const frame = JSON.parse(data) as Frame;
    this.conversationId = frame.conversation_id ?? this.conversationId;
    if (typeof frame.error === 'string') this.error = frame.error;
    else if (frame.type === 'stream_handoff')
      this.topic = frame.options?.find(({ topic_id }) => topic_id)?.topic_id ?? null;
    else if (frame.type === 'num_variants_in_stream') this.variants = 2;
    else if (frame.type === 'message_stream_complete') this.isComplete = true;
    else if (frame.message) this.#message = frame.message;
    else if ('v' in frame) this.#apply(frame);
    this.#report();
  }

  #apply(delta: Delta): void {
    const root = delta.v as { message?: StreamedMessage; conversation_id?: string } | null;
    if (typeof root === 'object' && root?.message) {
      this.#message = root.message;
      this.conversationId = root.conversation_id ?? this.conversationId;
      return;
    }
    this.#path = delta.p ?? this.#path;
    this.#operation = delta.o ?? this.#operation;
    const message = this.#message;
    if (!message) return;
    if (this.#operation === 'patch') for (const one of delta.v as Delta[]) changeMessage(message, one.p ?? '', one.v);
    else changeMessage(message, this.#path, delta.v);
  }

  #report(): void {
    const message = this.#message;
    if (message?.author.role !== 'assistant' || message.channel !== 'final') return;
    const text = (message.content.parts ?? []).join('');
    const isFinished = message.status === 'finished_successfully';
    this.#show({ conversationId: this.conversationId, id: message.id, text, isFinished });
  }
}

function changeMessage(message: StreamedMessage, path: string, value: unknown): void {
  const parts = message.content.parts ?? [];
  if (path === '/message/content/parts/0') message.content.parts = [(parts[0] ?? '') + String(value)];
  if (path === '/message/status') message.status = String(value);
}

export async function followBody(
  response: Response,
  follower: Follower,
  stopEarly: AbortController | null,
): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    follower.take(part.value);
    if (stopEarly && follower.isComplete) {
      stopEarly.abort();
      return;
    }
  }
}

export async function followTopic(topic: string, follower: Follower): Promise<void> {
  const socket = new WebSocket(`wss://ws.chatgpt.com/turns?verify=${SECRET}-stream`);
  socket.onopen = () => socket.send(JSON.stringify([{ type: 'subscribe', topic_id: topic }]));
  const ended = Promise.withResolvers<void>();
  socket.onclose = () => ended.resolve();
  socket.onmessage = ({ data }) => {
    const [{ catchups = [], payload }] = JSON.parse(String(data)) as [
      { catchups?: string[]; payload?: { payload: { encoded_item: string } } },
    ];
    for (const item of payload ? [payload.payload.encoded_item] : catchups) follower.take(item);
    if (follower.isComplete) socket.close();
  };
  await ended.promise;
}
