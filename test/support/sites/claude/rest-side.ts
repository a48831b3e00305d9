/** The JSON interface of the fake claude.ai: `completion` with its stream, and the tree of a conversation. */
import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
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

type Write = (event: { type: string } & Record<string, unknown>) => void;

async function streamAnswer(message: FakeMessage, answer: FakeAnswer, response: ServerResponse): Promise<void> {
  const write: Write = (event) => void response.write(sse(event, answer.style));
  write(messageStart(message.id, message.parentId));
  response.write(comment);
  write({ type: 'ping' });
  if (answer.thinking !== undefined) {
    const change = { type: 'thinking_delta', thinking: answer.thinking };
    writeHidden(message, { type: 'thinking', thinking: '' }, change, answer.thinking, write);
  }
  if (!(await writeText(message, answer, response, write))) return;
  if (answer.tool !== undefined) {
    const { output, after } = answer.tool;
    const change = { type: 'input_json_delta', partial_json: JSON.stringify({ output }) };
    writeHidden(message, { type: 'tool_use', name: 'bash', input: {} }, change, output, write);
    await writeText(message, { text: after }, response, write);
  }
  message.isComplete = true;
  message.stop = answer.stop ?? 'end_turn';
  if (answer.failure !== 'no_end') {
    write(messageDelta(message.stop));
    write(messageStop());
  }
  response.end();
}

/** A block of thinking or of a tool. */
function writeHidden(
  message: FakeMessage,
  block: { type: string; [key: string]: unknown },
  change: object,
  text: string,
  write: Write,
): void {
  const index = message.parts.push({ kind: block.type === 'thinking' ? 'thinking' : 'tool', text }) - 1;
  write(blockStart(index, block));
  write(delta(index, change));
  write(blockStop(index));
}

/** False when the answer has ended before its end. */
async function writeText(
  message: FakeMessage,
  answer: FakeAnswer,
  response: ServerResponse,
  write: Write,
): Promise<boolean> {
  const pieces = piecesOf(answer.text, answer.pieces ?? 4);
  const part = { kind: 'text' as const, text: '' };
  const index = message.parts.push(part) - 1;
  write(blockStart(index));
  for (const [at, piece] of pieces.entries()) {
    if (at === Math.ceil(pieces.length / 2)) {
      await answer.hold?.opened;
      if (answer.failure === 'cut') {
        // The page loses the answer; the site has it.
        Object.assign(part, { text: answer.text });
        Object.assign(message, { isComplete: true, stop: 'end_turn' });
        cutBody(response);
      }
    }
    if (at > 0 && answer.everyMs !== undefined) await setTimeout(answer.everyMs);
    if (message.isComplete || response.destroyed) return false;
    part.text += piece;
    write(textDelta(index, piece));
  }
  write(blockStop(index));
  return true;
}
