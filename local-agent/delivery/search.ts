/**
 * Looks for an uncertain delivery in a reading of its conversation. Only a reading of the site itself proves that the
 * text is absent: the page's view may show what the site has not taken.
 */
import type { ConversationReading } from '../../schema/contracts/bridge-frames.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import type { DeliveryRow } from './deliveries.ts';
import { wirePlanId } from './wire.ts';

/** `unreadable`: there is no browser, or it could not read the site. */
export type Finding = 'found' | 'absent' | 'unreadable';

/** Sites change white space first, so it is not compared. */
function normalizeSpace(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

type Sought = Pick<
  DeliveryRow,
  'plan_id' | 'kind' | 'attempt' | 'conversation_id' | 'message_text' | 'assistant_message_id'
>;

/**
 * Whether the person's messages hold the text, behind the message that it follows when that one is in the reading. A
 * message that the browser remembers as the one of this plan counts with any text: a site may have changed it.
 */
export function searchReading(delivery: Sought, reading: ConversationReading | null): Finding {
  if (reading?.source !== 'site' || reading.conversation_id !== delivery.conversation_id) return 'unreadable';
  const { messages } = reading;
  const planId = wirePlanId(delivery);
  if (messages.some(({ plan_id }) => plan_id === planId)) return 'found';
  const followed = messages.findIndex(
    ({ message_id }) => message_id !== null && message_id === delivery.assistant_message_id,
  );
  const wanted = normalizeSpace(delivery.message_text);
  const isThere = messages
    .slice(followed + 1)
    .some(({ role, text }) => role === 'user' && normalizeSpace(text).includes(wanted));
  return isThere ? 'found' : 'absent';
}

/** The result of an uncertain delivery after a search; null when the search showed nothing. */
export function resultAfterSearch(finding: Finding, before: DeliveryResult | null): DeliveryResult | null {
  const method = before?.method ?? null;
  switch (finding) {
    case 'found':
      return { outcome: 'delivered', reason: 'found_in_conversation', method };
    case 'absent':
      return { outcome: 'failed', reason: 'not_found_in_conversation', method };
    case 'unreadable':
      return null;
    default:
      return finding satisfies never;
  }
}
