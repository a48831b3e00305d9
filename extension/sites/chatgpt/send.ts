/** The send in a request of the page. */
import { z } from 'zod';
import type { PageRequest, RequestBody, SeenSend } from '../facts.ts';
import { conversationIdOf, isAnonymous } from './endpoints.ts';

const SendSchema = z.object({
  action: z.enum(['next', 'variant', 'continue']),
  messages: z
    .array(
      z.object({
        id: z.string().min(1).max(128),
        author: z.object({ role: z.string() }),
        content: z.object({ content_type: z.string(), parts: z.array(z.unknown()).nullish() }),
      }),
    )
    .nullish(),
  conversation_id: z.string().nullish(),
  parent_message_id: z.string().min(1).max(128).nullish(),
  history_and_training_disabled: z.boolean().nullish(),
});
type Send = z.infer<typeof SendSchema>;

/** The parent of the first message of a conversation. */
const ROOT_PARENT = 'client-created-root';

export function readSend({ url }: PageRequest, body: RequestBody): SeenSend | null {
  const send = body.kind === 'bytes' ? parsed(body.bytes) : null;
  if (!send) return null;
  const message = send.messages?.find(({ author }) => author.role === 'user') ?? null;
  if (send.action === 'next' && !message) return null;
  const texts = (message?.content.parts ?? []).filter((part) => typeof part === 'string');
  const isTemporary = send.history_and_training_disabled === true || isAnonymous(url);
  return {
    kind: kindOf(send),
    conversationId: isTemporary ? null : conversationIdOf(send.conversation_id),
    userMessageId: message?.id ?? questionOf(send),
    assistantMessageId: null,
    text: texts.length > 0 ? texts.join('\n') : null,
    isTemporary,
    organizationId: null,
  };
}

/** A request for the answer again names the question as its parent where it does not repeat it. */
function questionOf({ action, parent_message_id: parent }: Send): string | null {
  return action === 'variant' && parent !== ROOT_PARENT ? (parent ?? null) : null;
}

/** An edit in a later place has an older parent, which only who knows the newest message can see. */
function kindOf({ action, conversation_id: conversation, parent_message_id: parent }: Send): SeenSend['kind'] {
  if (action === 'variant') return 'regenerate';
  if (action === 'continue') return 'continue';
  return conversation != null && parent === ROOT_PARENT ? 'edit' : 'message';
}

function parsed(bytes: Uint8Array): Send | null {
  try {
    return SendSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))).data ?? null;
  } catch {
    return null;
  }
}
