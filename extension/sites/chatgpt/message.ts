/** A message of ChatGPT, as streams and readings hold it, and which messages are answers. */
import { z } from 'zod';
import type { SiteMessage } from '../facts.ts';

export const MessageSchema = z.object({
  id: z.string().min(1).max(128),
  author: z.object({ role: z.string() }),
  channel: z.string().nullish(),
  recipient: z.string().nullish(),
  content: z.object({ content_type: z.string(), parts: z.array(z.unknown()).nullish() }),
  status: z.string().nullish(),
  end_turn: z.boolean().nullish(),
  metadata: z
    .object({
      is_visually_hidden_from_conversation: z.boolean().nullish(),
      is_thinking_preamble_message: z.boolean().nullish(),
      parent_id: z.string().nullish(),
      finish_details: z.object({ type: z.string() }).nullish(),
    })
    .nullish(),
});
export type Message = z.infer<typeof MessageSchema>;

const TEXT_TYPES = new Set(['text', 'multimodal_text']);

/** A text for people: no thought, no code for a tool, no message that the page hides. */
function isVisibleText({ content, metadata }: Message): boolean {
  return TEXT_TYPES.has(content.content_type) && metadata?.is_visually_hidden_from_conversation !== true;
}

export function isFromPerson(message: Message): boolean {
  return message.author.role === 'user' && isVisibleText(message);
}

/**
 * Whether a message is an answer, or may become one: a message without a channel is an answer once it ends the turn.
 * `commentary`, `analysis`, thinking preambles and messages to tools finish too, but are none.
 */
export function mayBeAnswer(message: Message): boolean {
  const { author, recipient, channel, metadata } = message;
  return (
    author.role === 'assistant' &&
    isVisibleText(message) &&
    metadata?.is_thinking_preamble_message !== true &&
    (recipient == null || recipient === '' || recipient === 'all') &&
    (channel == null || channel === 'final')
  );
}

/** The text of a message; images and other parts that are no text are left out. */
export function textOf({ content }: Message): string {
  return (content.parts ?? []).filter((part) => typeof part === 'string').join('\n');
}

/** How far an answer is, by its own marks. `reason` names why it will not be complete. */
export type AnswerState = { state: 'final' } | { state: 'running' } | { state: 'incomplete'; reason: string };

const SITE_WORD = /^[a-z_]{1,40}$/;

export function answerState({ status, end_turn: endTurn, metadata }: Message): AnswerState {
  const finish = metadata?.finish_details?.type ?? 'stop';
  if (finish !== 'stop') return { state: 'incomplete', reason: SITE_WORD.test(finish) ? finish : 'unknown_finish' };
  if (status === 'in_progress') return { state: 'running' };
  if (status !== 'finished_successfully') return { state: 'incomplete', reason: 'not_finished' };
  return endTurn === true ? { state: 'final' } : { state: 'incomplete', reason: 'turn_not_ended' };
}

export function roleOfMessage(message: Message): SiteMessage['role'] | null {
  if (isFromPerson(message)) return 'user';
  return mayBeAnswer(message) ? 'assistant' : null;
}
