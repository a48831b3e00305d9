/** Whether a page shows a conversation, by its messages: pure. For documents that do not name their conversation. */
import type { PageView } from '../../messages.ts';
import type { SiteReading } from '../../sites/facts.ts';

const compact = (text: string): string => text.replace(/\s+/g, '');

/** `messageId`: a message that the conversation is known to have. */
export function identifyByView(
  view: PageView,
  conversationId: string,
  messageId: string | null,
): 'same' | 'other' | null {
  if (view.conversationId !== null) return view.conversationId === conversationId ? 'same' : 'other';
  const isShown = messageId !== null && view.messages.some(({ id }) => id === messageId);
  return isShown ? 'same' : null;
}

/** A message that the page shows must be one of the conversation as the site reports it. */
export function identifyByReading(
  view: PageView,
  reading: SiteReading | null,
  conversationId: string,
): 'same' | 'other' | 'unknown' {
  if (reading === null || reading.conversationId !== conversationId) return 'unknown';
  if (view.messages.length === 0) return reading.messages.length === 0 ? 'same' : 'unknown';
  const ids = view.messages.flatMap(({ id }) => (id === null ? [] : [id]));
  if (ids.length > 0) return reading.messages.some(({ id }) => ids.includes(id)) ? 'same' : 'other';
  // The page shows an answer without its Markdown, so that only the person's texts can be compared.
  const shown = compact(view.messages.findLast(({ role }) => role === 'user')?.text ?? '');
  if (shown === '') return 'unknown';
  return reading.messages.some(({ role, text }) => role === 'user' && compact(text) === shown) ? 'same' : 'unknown';
}

/** Whether the page shows a message of the person with this id or text. */
export function isShown(view: PageView, text: string, messageId: string | null): boolean {
  const wanted = compact(text);
  return view.messages.some(
    (message) =>
      message.role === 'user' && ((messageId !== null && message.id === messageId) || compact(message.text) === wanted),
  );
}
