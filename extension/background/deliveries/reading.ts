/** Readings as the agent gets them, within the bounds of the contract: pure. */
import type { ConversationReading } from '../../../schema/contracts/bridge-frames.ts';
import type { PageView } from '../../messages.ts';
import type { SiteReading } from '../../sites/facts.ts';

const MAX_MESSAGES = 500;
/** Of all texts together, in UTF-16 units; a frame of the bridge must hold them. */
const MAX_CHARS = 1_048_576;

type Message = ConversationReading['messages'][number];

/** The newest messages that fit. */
function bounded(messages: readonly Message[]): Message[] {
  const kept: Message[] = [];
  let chars = 0;
  for (const message of messages.slice(-MAX_MESSAGES).reverse()) {
    chars += message.text.length;
    if (chars > MAX_CHARS) break;
    kept.unshift(message);
  }
  return kept;
}

/** `planOf`: the plan that a message of the person was sent for. */
export function siteReading(reading: SiteReading, planOf: (messageId: string) => string | null): ConversationReading {
  const messages = reading.messages.map(({ role, id, text }) => ({
    role,
    message_id: id,
    text,
    plan_id: role === 'user' ? planOf(id) : null,
  }));
  return { conversation_id: reading.conversationId, source: 'site', messages: bounded(messages) };
}

/** What the page shows, which is no proof of what the site has. */
export function pageReading(view: PageView, conversationId: string | null): ConversationReading {
  const messages = view.messages.map(({ role, id, text }) => ({ role, message_id: id, text }));
  return { conversation_id: view.conversationId ?? conversationId, source: 'page', messages: bounded(messages) };
}
