/** The requests of the page. */

import type { PageSettings } from '../html.ts';
import type { Shown } from './turn-stream.ts';
import { Follower, followBody, followTopic } from './turn-stream.ts';

export interface Question {
  id: string;
  text: string;
  parent: string;
  action: 'next' | 'variant';
  conversationId: string | null;
  isTemporary: boolean;
}

export interface LoadedMessage {
  id: string;
  role: 'user' | 'assistant';
  text: string;
  isFinished: boolean;
}

export class Refusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`the site refused with ${status}`);
    this.status = status;
  }
}

let bearer: string | null = null;

export async function session(): Promise<void> {
  const loaded = (await (await fetch('/api/auth/session')).json()) as { accessToken?: string };
  bearer = loaded.accessToken ?? null;
}

function backend(path: string): string {
  return `${bearer === null ? '/backend-anon' : '/backend-api'}${path}`;
}

async function post(
  path: string,
  body: object,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const response = await fetch(backend(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }), ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  if (!response.ok) throw new Refusal(response.status);
  return response;
}

async function get(path: string): Promise<Response> {
  return await fetch(backend(path), { headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` } });
}

async function token(path: string, field: string): Promise<string> {
  const response = await post(path, { p: 'x' });
  return ((await response.json()) as Record<string, string>)[field] ?? '';
}

/** One-time tokens, then the message. */
export async function converse(
  question: Question,
  settings: PageSettings,
  show: (shown: Shown) => void,
): Promise<Follower> {
  await token('/sentinel/chat-requirements/prepare', 'prepare_token');
  const requirements = await token('/sentinel/chat-requirements/finalize', 'token');
  // The page sends without this token when there is none.
  const conduit = await token('/f/conversation/prepare', 'conduit_token').catch(() => '');
  const abort = new AbortController();
  const response = await post(
    '/f/conversation',
    bodyOf(question),
    {
      accept: 'text/event-stream',
      'openai-sentinel-chat-requirements-token': requirements,
      'x-conduit-token': conduit,
    },
    abort.signal,
  );
  const follower = new Follower(show);
  await followBody(response, follower, settings.endsRequestEarly ? abort : null);
  if (follower.topic !== null) await followTopic(follower.topic, follower);
  return follower;
}

function bodyOf({ id, text, parent, action, conversationId, isTemporary }: Question): object {
  const message = {
    id,
    author: { role: 'user' },
    create_time: Date.now() / 1000,
    content: { content_type: 'text', parts: [text] },
    metadata: { submission_mode: 'manual_send' },
  };
  return {
    action,
    ...(action === 'next' && { messages: [message] }),
    ...(conversationId !== null && { conversation_id: conversationId }),
    ...(isTemporary && { history_and_training_disabled: true }),
    parent_message_id: parent,
    model: 'auto',
    conversation_mode: { kind: 'primary_assistant' },
    supported_encodings: ['v1'],
  };
}

export async function resume(conversationId: string, show: (shown: Shown) => void): Promise<Follower | null> {
  try {
    const follower = new Follower(show);
    await followBody(
      await post('/f/conversation/resume', { conversation_id: conversationId, offset: 0 }),
      follower,
      null,
    );
    return follower;
  } catch {
    return null;
  }
}

export async function isStreaming(conversationId: string): Promise<boolean> {
  const response = await get(`/conversation/${conversationId}/stream_status`);
  return ((await response.json()) as { status: string }).status === 'IS_STREAMING';
}

export async function load(conversationId: string, reading: PageSettings['reading']): Promise<LoadedMessage[]> {
  const path =
    reading === 'list'
      ? `/conversations/${conversationId}?include_has_versions=true&num_turns=10`
      : `/conversation/${conversationId}`;
  const response = await get(path);
  if (!response.ok) throw new Refusal(response.status);
  const body = (await response.json()) as { messages?: Loaded[]; mapping?: Record<string, Node>; current_node: string };
  const messages = body.messages ?? walk(body.mapping ?? {}, body.current_node);
  return messages.filter(isVisible).map(({ id, author, content, status }) => ({
    id,
    role: author.role as 'user' | 'assistant',
    text: (content.parts ?? []).join(''),
    isFinished: status === 'finished_successfully',
  }));
}

interface Loaded {
  id: string;
  author: { role: string };
  channel: string | null;
  content: { content_type: string; parts?: string[] };
  status: string;
}
interface Node {
  message: Loaded | null;
  parent: string | null;
}

function walk(mapping: Record<string, Node>, current: string): Loaded[] {
  const messages: Loaded[] = [];
  for (let node = mapping[current]; node?.message; node = mapping[node.parent ?? '']) messages.unshift(node.message);
  return messages;
}

function isVisible({ author, channel, content }: Loaded): boolean {
  return (
    author.role === 'user' || (author.role === 'assistant' && channel === 'final' && content.content_type === 'text')
  );
}
