/**
 * Looks for a delivery that may have been sent in its conversation, as the site itself tells it: never in the view,
 * which may show what the site has not taken. Only a reading of the site proves that a text is absent.
 */
import type { ConversationReading } from '../../schema/contracts/bridge-frames.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import type { DeliveryRow } from './deliveries.ts';
import type { ReadTarget } from './reader.ts';

/** `unreadable`: there is no browser, or it could not read the site. */
export const FINDINGS = ['found', 'absent', 'unreadable'] as const;
export type Finding = (typeof FINDINGS)[number];

/** White space is what a site changes first. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

type Sought = Pick<DeliveryRow, 'conversation_id' | 'message_text' | 'assistant_message_id'>;

/** Whether a reading holds the text as the person's, after the message that it answers when that one is there. */
export function lookFor(sought: Sought, reading: ConversationReading | null): Finding {
  if (reading?.source !== 'site' || reading.conversation_id !== sought.conversation_id) return 'unreadable';
  const { messages } = reading;
  const answered = messages.findIndex(
    ({ message_id }) => message_id !== null && message_id === sought.assistant_message_id,
  );
  const text = plain(sought.message_text);
  const later = messages.slice(answered + 1);
  return later.some(({ role, text: said }) => role === 'user' && plain(said).includes(text)) ? 'found' : 'absent';
}

/** Where an uncertain delivery is to be looked for. */
export function readTargetOf(
  row: Pick<DeliveryRow, 'client_id' | 'platform' | 'conversation_id' | 'target'>,
): ReadTarget {
  const { client_id, platform, conversation_id, target } = row;
  const { tab_id, organization_id = null, page_url } = target;
  return { client_id, platform, conversation_id, tab_id, organization_id, page_url };
}

/** What a finding makes of an uncertain delivery; null when it has shown nothing. */
export function resultOf(finding: Finding, before: DeliveryResult | null): DeliveryResult | null {
  const method = before?.method ?? null;
  switch (finding) {
    case 'found':
      return { outcome: 'delivered', reason: 'found_in_conversation', method };
    case 'absent':
      return { outcome: 'failed', reason: 'not_found_in_conversation', method };
    case 'unreadable':
      return null;
  }
}
