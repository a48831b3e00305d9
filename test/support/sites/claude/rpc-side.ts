/** The Connect interface of the fake claude.ai: actions of the page, and the timelines that it keeps open. */
import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { SiteRequest } from '../site.ts';
import type { FakeAnswer } from './answers.ts';
import { piecesOf } from './answers.ts';
import type { FakeConversation, FakeMessage } from './conversations.ts';
import { blockId, partsOf } from './conversations.ts';
import { endEnvelope, envelope } from './envelopes.ts';
import { Read } from './protobuf.ts';
import { ack, append, heartbeat, STATUS, update } from './timeline.ts';

export interface RpcDeps {
  conversation(id: string, isTemporary: boolean): FakeConversation;
  nextAnswer(text: string): FakeAnswer;
  onSend(send: { conversationId: string; text: string; wasGzip: boolean }): void;
}

const RETRY = 2;
const newId = () => crypto.randomUUID();

export class RpcSide {
  readonly #deps: RpcDeps;
  /** The open timelines of each conversation, and what the ids of blocks end with in each. */
  readonly #timelines = new Map<string, Map<ServerResponse, string>>();
  readonly #running = new Map<string, FakeMessage>();
  #streams = 0;
  /** Acknowledgements for conversations without an open timeline. */
  readonly #waiting = new Map<string, Uint8Array[]>();
  /** Names of the actions, in the order of their requests. */
  readonly actions: string[] = [];

  constructor(deps: RpcDeps) {
    this.#deps = deps;
  }

  handle(method: string, request: SiteRequest, response: ServerResponse): void {
    if (method === 'StreamTimeline') this.#openTimeline(request, response);
    else if (method === 'PerformAction') this.#perform(request, response);
    else response.writeHead(200, { 'content-type': 'application/proto' }).end();
  }

  #openTimeline({ body }: SiteRequest, response: ServerResponse): void {
    // One envelope with the request.
    const id = new Read(body.subarray(5)).text(1);
    response.writeHead(200, { 'content-type': 'application/connect+proto' });
    const open = this.#timelines.get(id) ?? new Map<ServerResponse, string>();
    this.#streams += 1;
    const part = `s${this.#streams}`;
    this.#timelines.set(id, open.set(response, part));
    response.on('close', () => open.delete(response));
    const conversation = this.#deps.conversation(id, false);
    response.write(envelope(update(conversation.snapshot(this.#running.has(id), part)), { gzip: true }));
    response.write(envelope(heartbeat()));
    for (const payload of this.#waiting.get(id) ?? []) response.write(envelope(payload));
    this.#waiting.delete(id);
  }

  #perform(request: SiteRequest, response: ServerResponse): void {
    const wasGzip = request.body[0] === 0x1f;
    const action = new Read(wasGzip ? gunzipSync(request.body) : request.body);
    const header = action.message(1);
    const conversationId = header?.text(2) ?? '';
    response.writeHead(200, { 'content-type': 'application/proto' }).end();
    const send = action.message(2);
    this.actions.push(send ? 'send' : action.has(3) ? 'stop' : action.has(15) ? 'warm' : 'other');
    if (action.has(3)) this.#stop(conversationId);
    if (!send) return;
    this.#deps.onSend({ conversationId, text: send.text(3), wasGzip });
    const answer = this.#deps.nextAnswer(send.text(3));
    const version = header?.message(1)?.number(2) ?? 0;
    if (answer.refusal !== undefined) {
      const refusal = { type: 'invalid_request_error', code: answer.refusal, messageId: send.text(1) };
      this.#acknowledge(conversationId, ack({ version, refusal }));
      return;
    }
    this.#acknowledge(conversationId, ack({ version, applied: true }));
    const conversation = this.#deps.conversation(conversationId, send.number(10) === 1);
    void this.#answer(conversation, send, answer);
  }

  async #answer(conversation: FakeConversation, send: Read, answer: FakeAnswer): Promise<void> {
    const isRetry = send.number(6) === RETRY;
    const parentId = send.has(5) ? send.text(5) : conversation.leaf;
    const human = isRetry
      ? conversation.find(parentId)
      : conversation.add({
          id: send.text(1),
          parentId,
          sender: 'human',
          parts: [{ kind: 'text', text: send.text(3) }],
        });
    if (!human) throw new Error('the message to answer again is not known');
    const message = conversation.add({ id: send.text(2), parentId: human.id, sender: 'assistant', parts: [] });
    this.#running.set(conversation.id, message);
    const running = { id: conversation.id, status: STATUS.running };
    this.#push(conversation.id, (part) => update({ conversation: running, ...partsOf([human, message], part) }));
    await this.#write(conversation, message, answer);
    if (message.isComplete) return;
    message.stop = answer.stop ?? 'end_turn';
    this.#settle(conversation, message, answer.divider === true);
  }

  async #write(conversation: FakeConversation, message: FakeMessage, answer: FakeAnswer): Promise<void> {
    const pieces = piecesOf(answer.text, answer.pieces ?? 4);
    const half = Math.ceil(pieces.length / 2);
    if (answer.thinking !== undefined) this.#addPart(conversation, message, 'thinking', answer.thinking);
    this.#addPart(conversation, message, 'text', '');
    for (const [at, piece] of pieces.entries()) {
      if (at === half) {
        if (answer.closes) this.closeTimelines(conversation.id);
        await answer.hold?.opened;
      }
      if (at > 0 && answer.everyMs !== undefined) await setTimeout(answer.everyMs);
      if (message.isComplete) return;
      this.#append(conversation, message, piece);
    }
    if (answer.tool === undefined) return;
    this.#addPart(conversation, message, 'tool', answer.tool.output);
    this.#addPart(conversation, message, 'text', '');
    this.#append(conversation, message, answer.tool.after);
  }

  #append(conversation: FakeConversation, message: FakeMessage, piece: string): void {
    const index = message.parts.length - 1;
    const part = message.parts[index];
    if (part) part.text += piece;
    this.#push(conversation.id, (part) => append(blockId(message.id, index, part), piece));
    this.#push(conversation.id, heartbeat());
  }

  #addPart(
    conversation: FakeConversation,
    message: FakeMessage,
    kind: 'text' | 'thinking' | 'tool',
    text: string,
  ): void {
    message.parts.push({ kind, text });
    this.#push(conversation.id, (stream) => {
      const { groups = [], blocks = [] } = partsOf([message], stream);
      return update({ groups: groups.slice(-1), blocks: blocks.slice(-1) });
    });
  }

  #stop(conversationId: string): void {
    const message = this.#running.get(conversationId);
    if (!message) return;
    message.stop = 'user_canceled';
    this.#settle(this.#deps.conversation(conversationId, false), message, false);
  }

  #settle(conversation: FakeConversation, message: FakeMessage, hasDivider: boolean): void {
    message.isComplete = true;
    this.#running.delete(conversation.id);
    const settled = [message];
    if (hasDivider) {
      const parts = {
        parentId: message.id,
        sender: 'assistant',
        parts: [],
        isComplete: true,
        stop: 'end_turn',
      } as const;
      settled.push(conversation.add({ id: newId(), ...parts, parts: [] }));
    }
    const { messages } = partsOf(settled, '');
    this.#push(conversation.id, update({ conversation: { id: conversation.id, status: STATUS.idle }, messages }));
  }

  /** Ends the timelines as the site does every few seconds; the page opens another. */
  closeTimelines(conversationId: string): void {
    for (const response of this.#timelines.get(conversationId)?.keys() ?? []) {
      response.end(endEnvelope({ metadata: { 'stream-close-reason': ['cadence'] } }));
    }
    this.#timelines.delete(conversationId);
  }

  /** How many timelines of the conversation are open. */
  openTimelines(conversationId: string): number {
    return this.#timelines.get(conversationId)?.size ?? 0;
  }

  #acknowledge(conversationId: string, payload: Uint8Array): void {
    if (this.openTimelines(conversationId) > 0) this.#push(conversationId, payload);
    else this.#waiting.set(conversationId, [...(this.#waiting.get(conversationId) ?? []), payload]);
  }

  /** `payload` gets what the ids of blocks end with in a timeline. */
  #push(conversationId: string, payload: Uint8Array | ((part: string) => Uint8Array)): void {
    for (const [response, part] of this.#timelines.get(conversationId) ?? []) {
      response.write(envelope(typeof payload === 'function' ? payload(part) : payload));
    }
  }
}
