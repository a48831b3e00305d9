/** Whether a message may be typed into a page now: pure. Nothing in the page is clicked, solved or evaded. */
import { TYPING_PAUSE_MS, typingPauseLeftMs } from '../../lib/typing-pause.ts';
import type { ComposeRefusal, PageLook } from '../../messages.ts';
import type { Obstacle } from '../../sites/page.ts';
import type { End } from './end.ts';
import { endOf } from './end.ts';

const SOON_MS = 10_000;
const LATER_MS = 60_000;
const LIMIT_MS = 15 * 60_000;

export type Readiness =
  | { type: 'ready' }
  /** The page may still become ready. */
  | { type: 'wait'; reason: string }
  | { type: 'end'; end: End };

const deferred = (reason: string, retryAfterMs: number): End => endOf('deferred', reason, { retryAfterMs });

/** The end that something in the page causes. */
export function endOfObstacle({ kind, resetsAt }: Obstacle, now: number): End {
  switch (kind) {
    case 'challenge':
      return endOf('refused', 'security_challenge');
    case 'signed_out':
      return endOf('refused', 'signed_out');
    case 'limit':
      return deferred('rate_limited', resetsAt === null ? LIMIT_MS : Math.max(SOON_MS, resetsAt - now));
    case 'permission':
      return deferred('permission_prompt', LATER_MS);
    case 'choice':
      return deferred('choice_prompt', LATER_MS);
    case 'old_version':
      return deferred('old_version_of_page', LATER_MS);
    case 'error':
      return deferred('page_error', LATER_MS);
    default:
      return kind satisfies never;
  }
}

const typing = (typedAgoMs: number | null): End => deferred('person_is_typing', typingPauseLeftMs(typedAgoMs));

/** The end of a message that the content script did not type or press. */
export function endOfRefusal(refusal: ComposeRefusal, look: PageLook, now: number): End {
  switch (refusal) {
    case 'other_conversation':
    case 'text_changed_by_editor':
    case 'became_attachment':
    case 'canceled':
      return endOf('refused', refusal);
    case 'obstacle':
      return look.obstacle === null ? deferred(refusal, SOON_MS) : endOfObstacle(look.obstacle, now);
    case 'draft_in_composer':
      return deferred(refusal, LATER_MS);
    case 'person_is_typing':
      return typing(look.typedAgoMs);
    case 'composer_missing':
    case 'composer_busy':
    case 'answer_is_streaming':
    case 'send_button_missing':
    case 'not_composed':
    case 'timeout':
      return deferred(refusal, SOON_MS);
    default:
      return refusal satisfies never;
  }
}

/** Whether the page shows what was ordered, by its address and by its document. A new page never counts for a conversation. */
export function isAtConversation({ address, shownConversation }: PageLook, conversationId: string | null): boolean {
  if (conversationId === null) return address.kind === 'new' && shownConversation === null;
  const isShown = shownConversation === null || shownConversation === conversationId;
  return address.kind === 'conversation' && address.conversationId === conversationId && isShown;
}

function blockOf(look: PageLook): Readiness | null {
  const { typedAgoMs, composer, isAnswering, login } = look;
  if (login?.login === 'lost') return { type: 'end', end: endOf('refused', 'signed_out') };
  if (typedAgoMs !== null && typedAgoMs < TYPING_PAUSE_MS) {
    return { type: 'end', end: typing(typedAgoMs) };
  }
  if (isAnswering) return { type: 'end', end: deferred('answer_is_streaming', SOON_MS) };
  if (composer === 'loading' || composer === 'missing') return { type: 'wait', reason: 'composer_not_ready' };
  if (composer === 'busy') return { type: 'end', end: deferred('composer_busy', SOON_MS) };
  return null;
}

/**
 * A draft is judged by the content script, which knows the text: what is left of this very message is none.
 */
export function readiness(look: PageLook, conversationId: string | null, now: number): Readiness {
  if (look.obstacle !== null) return { type: 'end', end: endOfObstacle(look.obstacle, now) };
  if (!isAtConversation(look, conversationId)) return { type: 'wait', reason: 'conversation_not_shown' };
  return blockOf(look) ?? { type: 'ready' };
}

/** The end of a page that did not become ready. */
export function endOfWaiting(reason: string): End {
  return reason === 'conversation_not_shown' ? endOf('refused', reason) : deferred(reason, SOON_MS);
}
