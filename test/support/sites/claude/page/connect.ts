/** The page of a merged account: Connect-RPC with protobuf. */
import { concat, protobuf, Read } from '../protobuf.ts';
import { otherAction, sendAction } from '../timeline.ts';
import type { Turn } from './thread.ts';
import type { Send, Transport, TransportEvents } from './transport.ts';

const RPC = '/claudeai-rpc/anthropic.bard.api.v1alpha.ConversationService';
const REOPEN_MS = 20;
const HEADERS = { 'connect-protocol-version': '1', 'anthropic-client-platform': 'web_claude_ai' };

interface State {
  turns: Map<string, Turn>;
  groups: Map<string, { messageId: string; isText: boolean }>;
  blocks: Map<string, { groupId: string; text: string }>;
  leaf: string;
}

export class ConnectTransport implements Transport {
  readonly #events: TransportEvents;
  readonly #organizationId: string;
  readonly #isGzip: boolean;
  #abort = new AbortController();
  #version = 0;

  constructor(events: TransportEvents, organizationId: string, isGzip: boolean) {
    this.#events = events;
    this.#organizationId = organizationId;
    this.#isGzip = isGzip;
  }

  open(conversationId: string): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    void this.#follow(conversationId, this.#abort.signal);
  }

  async send(send: Send): Promise<void> {
    const { conversationId } = send;
    await this.#perform(otherAction(15, conversationId, { 1: { 3: send.text } }));
    this.#version += 1;
    const isRetry = send.kind === 'retry';
    const response = await this.#perform(
      sendAction({
        conversationId,
        messageId: isRetry ? undefined : send.humanId,
        assistantMessageId: send.assistantId,
        text: isRetry ? undefined : send.text,
        parentId: send.kind === 'message' ? undefined : send.parentId,
        isRetry,
        isTemporary: send.isTemporary || undefined,
        version: this.#version,
      }),
    );
    if (!response.ok) this.#events.failed(`http ${response.status}`);
  }

  stop(conversationId: string): void {
    void this.#perform(otherAction(3, conversationId));
  }

  async #perform(body: Uint8Array<ArrayBuffer>): Promise<Response> {
    const packed = this.#isGzip ? await piped(body, new CompressionStream('gzip')) : body;
    const encoding: Record<string, string> = this.#isGzip ? { 'content-encoding': 'gzip' } : {};
    return await this.#call('PerformAction', 'application/proto', packed, encoding);
  }

  #call(method: string, type: string, body: Uint8Array<ArrayBuffer>, headers = {}, signal?: AbortSignal) {
    const all = { ...HEADERS, 'x-organization-uuid': this.#organizationId, 'content-type': type, ...headers };
    return fetch(`${RPC}/${method}`, { method: 'POST', headers: all, body, signal: signal ?? null });
  }

  /** The site ends the timeline every few seconds; then it is opened again. */
  async #follow(conversationId: string, signal: AbortSignal): Promise<void> {
    const state: State = { turns: new Map(), groups: new Map(), blocks: new Map(), leaf: '' };
    const request = protobuf({ 1: conversationId, 5: 'en-US' });
    const length = new Uint8Array(5);
    new DataView(length.buffer).setUint32(1, request.length);
    while (!signal.aborted) {
      try {
        const type = 'application/connect+proto';
        const response = await this.#call('StreamTimeline', type, concat([length, request]), {}, signal);
        if (!response.ok || !response.body) throw new Error(`http ${response.status}`);
        await this.#read(response.body, state);
      } catch (error) {
        if (!signal.aborted) this.#events.failed(String(error));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, REOPEN_MS));
    }
  }

  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>, state: State): Promise<void> {
    let rest = new Uint8Array();
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      rest = concat([rest, chunk]);
      while (rest.length >= 5) {
        const end = 5 + new DataView(rest.buffer).getUint32(1);
        if (rest.length < end) break;
        const payload = rest.slice(5, end);
        const flags = rest[0] ?? 0;
        rest = rest.slice(end);
        if (flags & 2) continue;
        const message = flags & 1 ? await piped(payload, new DecompressionStream('gzip')) : payload;
        this.#apply(new Read(message).message(1), state);
      }
    }
  }

  #apply(event: Read | null, state: State): void {
    const refusal = event?.message(5)?.message(3)?.message(1);
    if (refusal) this.#events.failed(refusal.message(7)?.text(10) ?? refusal.text(1));
    const append = event?.message(2);
    const block = state.blocks.get(append?.text(1) ?? '');
    if (append && block) {
      block.text += append.text(2);
      this.#show(state, state.groups.get(block.groupId)?.messageId ?? '');
    }
    const update = event?.message(1);
    if (update) this.#update(update, state);
  }

  #update(update: Read, state: State): void {
    if (update.number(1) === 1) {
      for (const part of [state.turns, state.groups, state.blocks]) part.clear();
      this.#events.clear();
    }
    for (const one of update.messages(3)) this.#message(one, state);
    for (const one of update.messages(4)) {
      state.groups.set(one.text(1), { messageId: one.text(2), isText: one.number(4) !== 2 });
    }
    for (const one of update.messages(5)) state.blocks.set(one.text(1), { groupId: one.text(2), text: one.text(9) });
    const conversation = update.message(2);
    if (conversation?.has(7)) state.leaf = conversation.text(7);
    for (const id of state.turns.keys()) this.#show(state, id);
    if (conversation?.has(3)) this.#events.running(conversation.number(3) === 2);
  }

  #message(one: Read, state: State): void {
    const id = one.text(1);
    const known = state.turns.get(id);
    const isHuman = one.has(3) ? one.number(3) === 1 : known?.role === 'human';
    const parentId = one.has(11) ? one.text(11) : (known?.parentId ?? '');
    const isStreaming = !isHuman && one.number(6) !== 1;
    state.turns.set(id, { id, parentId, role: isHuman ? 'human' : 'assistant', text: '', isStreaming });
    // A divider is no message to show.
    const isDivider = !isHuman && state.turns.get(parentId)?.role === 'assistant';
    if (!known && !isDivider) state.leaf = id;
  }

  #show(state: State, id: string): void {
    const turn = state.turns.get(id);
    if (!turn) return;
    const texts = [...state.blocks.values()]
      .filter(({ groupId }) => state.groups.get(groupId)?.messageId === id && state.groups.get(groupId)?.isText)
      .map(({ text }) => text);
    this.#events.put({ ...turn, text: texts.join('\n\n') }, state.leaf);
  }
}

async function piped(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
