/**
 * A fake chatgpt.com: pages in both renderers with a real ProseMirror, one-time tokens before each send, streams in every
 * form that the site uses, and the conversation as the server keeps it. A test sets `control` and reads `sent`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ACCESS_TOKEN, EMAIL, SECRET } from '../secrets.ts';
import type { FakeSite, SiteRequest } from '../site.ts';
import { writeSlowly } from '../streaming.ts';
import type { Conversation, StoredMessage } from './conversations.ts';
import { newId, readingAsList, readingAsTree, turnMessages, userMessage } from './conversations.ts';
import type { TurnOf } from './frames.ts';
import { framesOf, handoffFrames } from './frames.ts';
import { challengePage, chatPage, pageScript } from './html.ts';
import { Topics } from './topics.ts';
import type { ChatgptControl, Refused, Turn } from './turn.ts';
import { defaultControl } from './turn.ts';

/** What the server has received as a message of the person. */
export interface Received {
  conversationId: string;
  messageId: string;
  text: string;
  action: string;
}

interface SendBody {
  action: string;
  messages?: { id: string; content: { parts: string[] } }[];
  conversation_id?: string;
  parent_message_id: string;
  history_and_training_disabled?: boolean;
}

const CHALLENGE = { 'content-type': 'text/html; charset=utf-8', 'cf-mitigated': 'challenge' };

export class ChatgptSite implements FakeSite {
  readonly hosts = ['chatgpt.com', 'ws.chatgpt.com'];
  readonly control: ChatgptControl = defaultControl();
  readonly sent: Received[] = [];
  readonly conversations = new Map<string, Conversation>();
  readonly #tokens = new Set<string>();
  readonly #topics = new Topics();
  /** The turns that are being written, by conversation. */
  readonly #running = new Map<string, TurnOf>();

  async handle(request: SiteRequest, response: ServerResponse): Promise<void> {
    const { url, method } = request;
    const path = url.pathname.replace(/^\/backend-anon\//, '/backend-api/');
    const refused = this.#takeRefusal(path);
    if (refused) return refuse(response, refused);
    if (path === '/assets/page.js') return sendText(response, await pageScript(), 'text/javascript');
    if (path === '/api/auth/session') return sendJson(response, this.#session());
    if (!path.startsWith('/backend-api/')) return this.#servePage(response);
    if (!url.pathname.startsWith('/backend-anon/') && request.headers.authorization !== `Bearer ${ACCESS_TOKEN}`) {
      return sendJson(response, { detail: 'Unauthorized' }, 401);
    }
    if (method === 'POST') return await this.#post(path, request, response);
    sendJson(response, ...this.#read(path));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#topics.upgrade(request, socket, head);
  }

  /** A conversation that exists already; the last turn may be one that is being written. */
  addConversation(question: string, turn: Turn): Conversation {
    const conversation = this.#newConversation(newId(), false);
    const asked = userMessage(newId(), null, question);
    for (const message of [asked, ...turnMessages(turn, asked.id)]) append(conversation, message);
    return conversation;
  }

  #takeRefusal(path: string): Refused | null {
    const at = REFUSAL_PLACES.find(([pattern]) => pattern.test(path))?.[1];
    const index = this.control.refusals.findIndex((one) => one.at === at);
    return index < 0 ? null : (this.control.refusals.splice(index, 1)[0] ?? null);
  }

  #session(): object {
    if (!this.control.isSignedIn) return {};
    return {
      user: { id: this.control.userId, name: 'A Person', email: EMAIL },
      account: { id: 'workspace-1', planType: 'plus' },
      expires: '2027-01-01T00:00:00.000Z',
      accessToken: ACCESS_TOKEN,
    };
  }

  #servePage(response: ServerResponse): void {
    if (this.control.isChallenged) response.writeHead(403, CHALLENGE).end(challengePage());
    else sendText(response, chatPage(this.control), 'text/html');
  }

  /** The response to a GET: its body and its status. */
  #read(path: string): [object, number?] {
    if (path === '/backend-api/me') return [{ object: 'user', id: this.control.userId, email: EMAIL }];
    const [, kind, id = '', rest] = /^\/backend-api\/(conversations?)\/([^/]+)(\/stream_status)?$/.exec(path) ?? [];
    const conversation = this.conversations.get(id);
    if (!conversation) return [{ detail: { code: 'conversation_inaccessible' } }, 404];
    if (rest) return [{ status: this.#running.has(id) ? 'IS_STREAMING' : 'COMPLETE' }];
    const isList = kind === 'conversations';
    if (isList !== (this.control.reading === 'list')) return [{ detail: 'Not Found' }, 404];
    return [isList ? readingAsList(conversation) : readingAsTree(conversation)];
  }

  async #post(path: string, request: SiteRequest, response: ServerResponse): Promise<void> {
    switch (path) {
      case '/backend-api/sentinel/chat-requirements/prepare':
        return sendJson(response, { prepare_token: this.#newToken(), proofofwork: { required: false } });
      case '/backend-api/sentinel/chat-requirements/finalize':
        return sendJson(response, { token: this.#newToken() });
      case '/backend-api/f/conversation/prepare':
        return sendJson(response, { status: 'ok', conduit_token: this.#newToken() });
      case '/backend-api/f/conversation':
        return await this.#converse(request, response);
      case '/backend-api/f/conversation/resume':
        return await this.#resume(request, response);
      default:
        return sendJson(response, { detail: 'Not Found' }, 404);
    }
  }

  #newToken(): string {
    const token = `${SECRET}-${newId()}`;
    this.#tokens.add(token);
    return token;
  }

  /** Each token is good for one send. */
  #hasFreshTokens({ headers }: SiteRequest): boolean {
    const names = ['openai-sentinel-chat-requirements-token', 'x-conduit-token'];
    return names.every((name) => this.#tokens.delete(String(headers[name] ?? '')));
  }

  async #converse(request: SiteRequest, response: ServerResponse): Promise<void> {
    if (!this.#hasFreshTokens(request)) return refuse(response, UNUSUAL_ACTIVITY);
    const body = JSON.parse(request.body.toString()) as SendBody;
    const of = this.#begin(body);
    await of.turn.hold?.opened;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    if (of.turn.transport === 'handoff') {
      response.end(handoffFrames(of.conversation.id, topicOf(of)));
      return await this.#topics.publish(topicOf(of), framesOf(of), of.turn, () => this.#finish(of));
    }
    await this.#write(of, response);
  }

  #begin(body: SendBody): TurnOf {
    const isTemporary = body.history_and_training_disabled === true;
    const conversation =
      this.conversations.get(body.conversation_id ?? '') ?? this.#newConversation(newId(), isTemporary);
    const { action, messages = [], parent_message_id: parent } = body;
    const [message] = messages;
    const text = message?.content.parts[0] ?? '';
    if (message) this.sent.push({ conversationId: conversation.id, messageId: message.id, text, action });
    const known = conversation.messages.get(action === 'next' ? '' : parent) ?? null;
    const question =
      known ?? userMessage(message?.id ?? newId(), conversation.messages.has(parent) ? parent : null, text);
    if (!known) append(conversation, question);
    const turn = this.control.turns.shift() ?? { text: 'Understood.' };
    const of = { conversation, question: known ? null : question, turn, messages: turnMessages(turn, question.id) };
    for (const one of of.messages) append(conversation, one);
    const answer = of.messages.at(-1);
    if (answer) conversation.messages.set(answer.id, running(answer));
    this.#running.set(conversation.id, of);
    return of;
  }

  #finish({ conversation, messages, turn }: TurnOf): void {
    this.#running.delete(conversation.id);
    if (turn.failure === undefined) for (const one of messages) conversation.messages.set(one.id, one);
  }

  async #write(of: TurnOf, response: ServerResponse): Promise<void> {
    const { first, second, end } = framesOf(of);
    const pace = of.turn.pace ?? { pieceBytes: Math.max(200, Math.ceil(first.length / 50)), everyMs: 2 };
    await writeSlowly(response, first, pace);
    await of.turn.half?.opened;
    await writeSlowly(response, second, pace);
    this.#finish(of);
    if (of.turn.end === 'cut') response.destroy();
    else response.end(end);
  }

  async #resume(request: SiteRequest, response: ServerResponse): Promise<void> {
    const { conversation_id: id } = JSON.parse(request.body.toString()) as { conversation_id: string };
    const of = this.#running.get(id);
    if (!of || !this.control.isResumable) return sendJson(response, { detail: 'Not Found' }, 404);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    await this.#write(of, response);
  }

  #newConversation(id: string, isTemporary: boolean): Conversation {
    const conversation: Conversation = { id, messages: new Map(), current: null, isTemporary };
    this.conversations.set(id, conversation);
    return conversation;
  }
}

const REFUSAL_PLACES: readonly [RegExp, Refused['at']][] = [
  [/\/sentinel\//, 'sentinel'],
  [/\/f\/conversation\/prepare$/, 'prepare'],
  [/\/f\/conversation$/, 'send'],
  [/\/conversations?\/[^/]+$/, 'read'],
  [/\/auth\/session$/, 'session'],
];

const UNUSUAL_ACTIVITY: Refused = {
  at: 'send',
  status: 403,
  body: { detail: 'Unusual activity has been detected from your device. Try again later.' },
};

function topicOf({ messages }: TurnOf): string {
  return `conversation-turn-${messages.at(-1)?.id}`;
}

function running(message: StoredMessage): StoredMessage {
  return {
    ...message,
    status: 'in_progress',
    end_turn: null,
    metadata: {},
    content: { content_type: 'text', parts: [''] },
  };
}

function append(conversation: Conversation, message: StoredMessage): void {
  conversation.messages.set(message.id, message);
  conversation.current = message.id;
}

function refuse(response: ServerResponse, { status, body, headers = {} }: Refused): void {
  const isPage = typeof body === 'string';
  const type = isPage ? 'text/html; charset=utf-8' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers }).end(isPage ? body : JSON.stringify(body));
}

function sendJson(response: ServerResponse, value: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendText(response: ServerResponse, text: string, type: string): void {
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(text);
}
