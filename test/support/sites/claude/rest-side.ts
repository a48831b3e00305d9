/** The JSON interface of the fake claude.ai: `completion` with its stream, and the tree of a conversation. */
import type { ServerResponse } from 'node:http';
import type { SiteRequest } from '../site.ts';
import { cutBody } from '../streaming.ts';
import type { FakeAnswer } from './answers.ts';
import { piecesOf, REFUSALS } from './answers.ts';
import {
  blockStart,
  blockStop,
  comment,
  delta,
  messageDelta,
  messageStart,
  messageStop,
  sse,
  textDelta,
} from './completion.ts';
import type { FakeConversation, FakeMessage } from './conversations.ts';
import type { RpcDeps } from './rpc-side.ts';

const ROOT_PARENT = '00000000-0000-4000-8000-000000000000';

interface CompletionBody {
  prompt?: string;
  parent_message_uuid: string;
  turn_message_uuids: { human_message_uuid?: string; assistant_message_uuid: string };
  create_conversation_params?: { is_temporary?: boolean };
}

export async function serveCompletion(
  deps: RpcDeps,
  conversationId: string,
  { body, url }: SiteRequest,
  response: ServerResponse,
): Promise<void> {
  const request = JSON.parse(body.toString()) as CompletionBody;
  const text = request.prompt ?? '';
  deps.onSend({ conversationId, text, wasGzip: false });
  const answer = deps.nextAnswer(text);
  const refusal = REFUSALS[answer.failure ?? 'no_end'];
  if (refusal) {
    response.writeHead(refusal.status, { 'content-type': 'application/json', ...refusal.headers });
    response.end(typeof refusal.body === 'string' ? refusal.body : JSON.stringify(refusal.body));
    return;
  }
  const isTemporary = request.create_conversation_params?.is_temporary === true;
  const conversation = deps.conversation(conversationId, isTemporary);
  const isRetry = url.pathname.endsWith('/retry_completion');
  const message = addTurn(conversation, request, isRetry);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.on('close', () => stopIfRunning(message));
  await streamAnswer(message, answer, response);
}

function addTurn(conversation: FakeConversation, request: CompletionBody, isRetry: boolean): FakeMessage {
  const { human_message_uuid: humanId = '', assistant_message_uuid: id } = request.turn_message_uuids;
  const parentId = request.parent_message_uuid === ROOT_PARENT ? '' : request.parent_message_uuid;
  const text = request.prompt ?? '';
  if (!isRetry) conversation.add({ id: humanId, parentId, sender: 'human', parts: [{ kind: 'text', text }] });
  return conversation.add({ id, parentId: isRetry ? parentId : humanId, sender: 'assistant', parts: [] });
}

/** The page closes its stream to stop an answer. */
function stopIfRunning(message: FakeMessage): void {
  if (message.isComplete) return;
  message.isComplete = true;
  message.stop = 'user_canceled';
}

async function streamAnswer(message: FakeMessage, answer: FakeAnswer, response: ServerResponse): Promise<void> {
  const write = (event: { type: string } & Record<string, unknown>) => response.write(sse(event, answer.style));
  const pieces = piecesOf(answer.text, answer.pieces ?? 4);
  const half = Math.ceil(pieces.length / 2);
  const part = (kind: 'text' | 'thinking' | 'tool', text: string) => message.parts.push({ kind, text }) - 1;
  write(messageStart(message.id, message.parentId));
  response.write(comment);
  write({ type: 'ping' });
  if (answer.thinking !== undefined) {
    const index = part('thinking', answer.thinking);
    write(blockStart(index, { type: 'thinking', thinking: '' }));
    write(delta(index, { type: 'thinking_delta', thinking: answer.thinking }));
    write(blockStop(index));
  }
  let index = part('text', '');
  write(blockStart(index));
  for (const [at, piece] of pieces.entries()) {
    if (at === half) {
      if (answer.failure === 'cut') return cutBody(response);
      await answer.hold?.opened;
      if (answer.tool !== undefined) {
        write(blockStop(index));
        index = writeTool(part('tool', answer.tool), answer.tool, write);
        part('text', '');
        write(blockStart(index));
      }
    }
    if (message.isComplete) return;
    const current = message.parts[index];
    if (current) current.text += piece;
    write(textDelta(index, piece));
  }
  write(blockStop(index));
  message.isComplete = answer.failure !== 'no_end';
  if (!message.isComplete) return void response.end();
  message.stop = answer.stop ?? 'end_turn';
  write(messageDelta(message.stop ?? 'end_turn'));
  write(messageStop());
  response.end();
}

/** The call of a tool and its output; returns the index of the block after them. */
function writeTool(
  index: number,
  output: string,
  write: (event: { type: string } & Record<string, unknown>) => unknown,
): number {
  write(blockStart(index, { type: 'tool_result', name: 'bash', content: [] }));
  write(delta(index, { type: 'input_json_delta', partial_json: JSON.stringify({ output }) }));
  write(blockStop(index));
  return index + 1;
}
