/**
 * Looks for an uncertain delivery in a reading of its conversation. Only a reading of the site itself proves anything: the
 * page's view may show what the site has not taken. That a message is absent proves little soon after the attempt, as an
 * overloaded site shows it late, and nothing when the page may have sent another text for it.
 */
import type { ConversationReading } from '../../schema/contracts/bridge-frames.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { ConversationReader } from '../browsers/conversation-reader.ts';
import type { Clock } from '../lib/clock.ts';
import type { DeliveryRow } from './deliveries.ts';
import { wirePlanId } from './wire.ts';

/** `unreadable`: there is no browser, or it could not read the site. */
export type Finding = 'found' | 'absent' | 'unreadable';

/**
 * A site may change white space and escape marks, and hardly ever letters or digits: only those are compared, so that a
 * changed message is found. A text of marks alone is compared without its white space.
 */
function essence(text: string): string {
  const marks = text.normalize('NFKC').replace(/\s+/g, '');
  return marks.replace(/[^\p{L}\p{N}]+/gu, '') || marks;
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
  const wanted = essence(delivery.message_text);
  const isThere = messages
    .slice(followed + 1)
    .some(({ role, text }) => role === 'user' && essence(text).includes(wanted));
  return isThere ? 'found' : 'absent';
}

/** The result of an uncertain delivery that a search has found. */
export function foundResult(before: DeliveryResult | null): DeliveryResult {
  return { outcome: 'delivered', reason: 'found_in_conversation', method: before?.method ?? null };
}

/** The extension's reason when another text left the page: it may be this message, as the page has changed it. */
const OTHER_TEXT = 'other_text_sent';

/**
 * The result of an uncertain delivery of the edge after a search, so that it is done or tried again; null when the search
 * proves nothing. `sinceMs`: how long ago its attempt ended.
 */
export function resultAfterSearch(finding: Finding, before: DeliveryResult, sinceMs: number): DeliveryResult | null {
  if (finding === 'found') return foundResult(before);
  const isProof = finding === 'absent' && sinceMs >= DELIVERY.search_again_ms && before.reason !== OTHER_TEXT;
  return isProof ? { outcome: 'failed', reason: 'not_found_in_conversation', method: before.method ?? null } : null;
}

export interface SearchDeps {
  reader: Pick<ConversationReader, 'read'>;
  clock: Pick<Clock, 'now' | 'after'>;
}

/** Reads the conversation once, at that time or now when it is over. Returns what ends the wait. */
export function searchConversation(
  { reader, clock }: SearchDeps,
  row: DeliveryRow,
  at: number,
  onSearched: (finding: Finding) => void,
): () => void {
  const { platform, client_id, conversation_id } = row;
  const search = async (): Promise<void> => {
    const reading = await reader.read(platform, { ...row.target, client_id, conversation_id });
    onSearched(searchReading(row, reading));
  };
  return clock.after(Math.max(0, at - clock.now()), () => void search());
}
