/**
 * Passes messages of an MCP client on to the edge, one HTTP request each, and what the edge answers back to the client. The
 * edge has no sessions, so neither has the bridge. Each call of a tool gets an operation id, because clients number their
 * requests alike and share the token. A request that breaks off is sent once more as it is: the edge recognizes the repeat,
 * so a call has one effect. After that its answer is an error, so that no client waits for ever.
 */
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';
import { PROTOCOL_VERSION_META_KEY, ProtocolErrorCode, parseJSONRPCMessage } from '@modelcontextprotocol/server';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { z } from 'zod';
import { ErrorBodySchema } from '../../schema/contracts/common.ts';

export interface McpBridgeDeps {
  url: URL;
  token: string;
  warn: (line: string) => void;
  /** Gives the client a message. */
  send: (message: JSONRPCMessage) => Promise<void>;
  fetch?: typeof fetch;
  /** Before a request is sent again. */
  retryMs?: number;
}

/** More than the edge waits for a call. */
const REQUEST_TIMEOUT_MS = 90_000;
const RETRY_MS = 1_000;
/** What JSON-RPC leaves to servers. */
export const EDGE_FAILED = -32_000;

const BATCH = 'a batch, which is not served; each message has a line of its own';
const NO_MESSAGE = 'what is no message of JSON-RPC 2.0; the id of a request is a text or a whole number';
const IdSchema = z.object({ id: z.union([z.string(), z.number()]) });

/** The parts of a message that headers repeat, for revisions of the protocol that want them. */
const NamedSchema = z.object({
  method: z.string(),
  params: z
    .object({ name: z.string().optional(), uri: z.string().optional(), _meta: z.looseObject({}).optional() })
    .optional(),
});

export class McpBridge {
  readonly #deps: McpBridgeDeps;
  readonly #open = new Set<Promise<void>>();

  constructor(deps: McpBridgeDeps) {
    this.#deps = deps;
  }

  /** Passes on the message of a line. Never throws. */
  async forwardLine(line: string): Promise<void> {
    if (line.trim() === '') return;
    const done = this.#answerLine(line);
    this.#open.add(done);
    await done;
    this.#open.delete(done);
  }

  /** When every line that was passed on has its answer, or after that time. */
  async answered(withinMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    await Promise.race([Promise.all(this.#open), late]);
    clearTimeout(timer);
  }

  async #answerLine(line: string): Promise<void> {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return this.#deps.warn('mcp: the client sent a line that is not JSON');
    }
    let message: JSONRPCMessage;
    try {
      message = parseJSONRPCMessage(value);
    } catch {
      const id = IdSchema.safeParse(value).data?.id ?? null;
      const what = Array.isArray(value) ? BATCH : NO_MESSAGE;
      return this.#refuse(id, what);
    }
    await this.forward(message);
  }

  /** No client can relate an answer without an id to what it sent. */
  async #refuse(id: RequestId | null, text: string): Promise<void> {
    this.#deps.warn(`mcp: the client sent ${text}`);
    if (id === null) return;
    const error = { code: ProtocolErrorCode.InvalidRequest, message: text };
    await this.#deps.send({ jsonrpc: '2.0', id, error }).catch(() => undefined);
  }

  /** Never throws: what fails is the answer to the message, or a line for a person. */
  async forward(received: JSONRPCMessage): Promise<void> {
    const message = withOperationId(received);
    const { send, warn, retryMs = RETRY_MS } = this.#deps;
    const id = 'method' in message && 'id' in message ? message.id : null;
    let failure = await this.#attempt(message, id);
    if (failure?.mayRepeat) {
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      failure = await this.#attempt(message, id);
    }
    if (failure === null) return;
    warn(`mcp: ${failure.text}`);
    if (id === null) return;
    const error = { code: EDGE_FAILED, message: failure.text };
    await send({ jsonrpc: '2.0', id, error }).catch(() => undefined);
  }

  /** Sends the message and passes the answers on. Null when it has been answered. */
  async #attempt(message: JSONRPCMessage, id: RequestId | null): Promise<{ text: string; mayRepeat: boolean } | null> {
    const { url, token, fetch: request = fetch } = this.#deps;
    try {
      const response = await request(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          ...protocolHeaders(message),
        },
        body: JSON.stringify(message),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const isAnswered = await this.#passOn(response, id);
      if (isAnswered || id === null) return null;
      if (!response.ok) return { text: `the edge responded ${response.status}`, mayRepeat: response.status >= 500 };
      return { text: 'the response of the edge broke off', mayRepeat: true };
    } catch (error) {
      if (error instanceof Refusal) return { text: error.message, mayRepeat: false };
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      return { text: `the edge at ${url.origin} cannot be reached: ${String(cause)}`, mayRepeat: true };
    }
  }

  /** Whether an answer to that id was among them. */
  async #passOn(response: Response, id: RequestId | null): Promise<boolean> {
    let isAnswered = false;
    const pass = async (value: unknown) => {
      const message = parseJSONRPCMessage(value);
      isAnswered ||= !('method' in message) && 'id' in message && message.id === id;
      await this.#deps.send(message);
    };
    if (!response.body) return false;
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      const text = await response.text();
      if (text === '') return false;
      const body: unknown = JSON.parse(text);
      const refusal = ErrorBodySchema.safeParse(body);
      if (refusal.success) throw new Refusal(`${refusal.data.error}: ${refusal.data.message}`);
      await pass(body);
      return isAnswered;
    }
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { data } of events) if (data !== '') await pass(JSON.parse(data));
    return isAnswered;
  }
}

/** The edge refused the request, as for a token that is not valid. */
class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** A call of a tool with a name of its own, unless the client has named it. */
function withOperationId(message: JSONRPCMessage): JSONRPCMessage {
  if (!('method' in message) || message.method !== 'tools/call' || message.params === undefined) return message;
  const { params } = message;
  return { ...message, params: { ...params, _meta: { operation_id: crypto.randomUUID(), ...params._meta } } };
}

/** Headers that repeat parts of the message, from the revision on that a message names itself. */
function protocolHeaders(message: JSONRPCMessage): Record<string, string> {
  const named = NamedSchema.safeParse(message).data;
  const version = named?.params?._meta?.[PROTOCOL_VERSION_META_KEY];
  if (named === undefined || typeof version !== 'string') return {};
  const name = named.params?.name ?? named.params?.uri;
  return {
    'mcp-protocol-version': version,
    'mcp-method': named.method,
    ...(name !== undefined && /^[\x21-\x7e]+$/.test(name) && { 'mcp-name': name }),
  };
}
