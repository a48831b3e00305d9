/** Why and when a conversation is renewed next, in one line. */
import type { ConversationDetail } from '../../../../schema/contracts/conversations.ts';
import type { Read } from '../../api/store.ts';
import { describeError } from '../../parts/notices.ts';
import { t, word } from '../../texts/texts.ts';

/**
 * Both are of one reading of the conversation: the time of the list beside the reason of the conversation could contradict
 * it, and a time says nothing without its reason.
 */
export function dueLine({ data, error }: Pick<Read<Pick<ConversationDetail, 'next_renewal'>>, 'data' | 'error'>): {
  text: string;
  at: number | null;
} {
  if (data !== null) return { text: word('reason', data.next_renewal.reason), at: data.next_renewal.at };
  return { text: error === null ? t('loading') : describeError(error), at: null };
}
