/** What a request of a page says about turns. */
import type { AnswerRef, DecodedEvent } from '../../sites/decoder.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { Draft } from './draft.ts';
import { onReading } from './on-reading.ts';
import type { Turn } from './turn.ts';
import { answerTurnId, isOpen, names } from './turn.ts';

/** The stream has ended early, or without an answer; the answer itself may still end well. */
const CUT_STREAM = new Set(['no_end_mark', 'no_answer', 'no_message_start', 'no_stop_reason', 'broken']);

type Of<Type extends DecodedEvent['type']> = Extract<DecodedEvent, { type: Type }>;

function ownTurn(draft: Draft, { platform, requestId }: TrafficEvent): Turn | undefined {
  return draft.turns.find((turn) => turn.platform === platform && turn.requestId === requestId);
}

/** The turn whose answer this is, by the ids that the site gives. */
function named(draft: Draft, { platform }: TrafficEvent, answer: AnswerRef): Turn | undefined {
  const own = draft.turns.filter((turn) => turn.platform === platform);
  const { messageId, userMessageId } = answer;
  return (
    own.find((turn) => names(turn, messageId)) ??
    own.findLast((turn) => userMessageId !== null && turn.userMessageId === userMessageId && isOpen(turn))
  );
}

/** The open turn that the stream of this answer belongs to, when no id says so. */
function byStream(draft: Draft, event: TrafficEvent, { conversationId }: AnswerRef): Turn | undefined {
  const own = ownTurn(draft, event);
  if (own !== undefined && isOpen(own)) return own;
  return draft.turns.findLast(
    (turn) =>
      turn.platform === event.platform &&
      conversationId !== null &&
      turn.conversationId === conversationId &&
      turn.namedId === null &&
      turn.seenIds.length === 0 &&
      isOpen(turn),
  );
}

/**
 * The site's own word about an answer counts more than the address of the tab: a person may have opened another
 * conversation in it before the new one had its id.
 */
function bind(draft: Draft, turn: Turn, conversationId: string | null): Turn {
  if (conversationId === null || turn.conversationId === conversationId) return turn;
  if (turn.conversationId !== null && !isOpen(turn)) return turn;
  return draft.change(turn, { conversationId });
}

function openFor(draft: Draft, { platform, tabId }: TrafficEvent, answer: AnswerRef): Turn {
  const { conversationId, messageId, userMessageId } = answer;
  const turn = draft.open({ platform, tabId, requestId: null, id: answerTurnId(platform, messageId), conversationId });
  return draft.change(turn, { userMessageId });
}

function onProgress(draft: Draft, event: TrafficEvent, { answer }: Of<'progress'>): void {
  const found = named(draft, event, answer) ?? byStream(draft, event, answer) ?? openFor(draft, event, answer);
  const turn = bind(draft, found, answer.conversationId);
  if (draft.wasSent(turn, answer.messageId)) draft.close(turn);
  else if (isOpen(turn)) {
    const isOwn = turn.hasOwnStream || turn.requestId === event.requestId;
    draft.sees(draft.change(turn, { hasOwnStream: isOwn }), answer.messageId);
  }
}

function onFinal(draft: Draft, event: TrafficEvent, { answer, text, history }: Of<'final'>): void {
  const known = named(draft, event, answer);
  // An old message that the stream repeats is of no turn that is open.
  if (known === undefined && history) return;
  const found = known ?? byStream(draft, event, answer) ?? openFor(draft, event, answer);
  const turn = bind(draft, found, answer.conversationId);
  if (isOpen(turn)) draft.finish(turn, { messageId: answer.messageId, text }, false);
}

function onIncomplete(draft: Draft, event: TrafficEvent, { answer, reason }: Of<'incomplete'>): void {
  const turn = (answer && named(draft, event, answer)) ?? ownTurn(draft, event);
  if (turn === undefined || !isOpen(turn)) return;
  if (CUT_STREAM.has(reason)) {
    draft.wait(turn);
    return;
  }
  draft.close(turn);
  draft.report(turn, `incomplete_answer: ${reason}`);
}

/** What follows cannot be seen in this response; on a stream of several answers, that is true of all that it carries. */
function onUnseen(draft: Draft, event: TrafficEvent, conversationId: string | null): void {
  const own = ownTurn(draft, event);
  if (own !== undefined) {
    if (isOpen(own)) draft.wait(bind(draft, own, conversationId));
  } else if (event.role === 'stream') {
    for (const turn of draft.turns) {
      if (turn.platform !== event.platform) continue;
      if (conversationId === null ? turn.tabId === event.tabId : turn.conversationId === conversationId)
        draft.wait(turn);
    }
  }
}

/** The site has refused the send, unless an answer has begun: that one may still end well. */
function onFailure(draft: Draft, event: TrafficEvent): void {
  const turn = ownTurn(draft, event);
  if (turn === undefined || !isOpen(turn)) return;
  if (turn.seenIds.length > 0) draft.wait(turn);
  else draft.close(turn);
}

function onRefused(draft: Draft, event: TrafficEvent, { userMessageId }: Of<'refused'>): void {
  const turn = draft.turns.find(
    (one) => one.platform === event.platform && userMessageId !== null && one.userMessageId === userMessageId,
  );
  const refused = turn ?? ownTurn(draft, event);
  if (refused !== undefined && isOpen(refused)) draft.close(refused);
}

function onAccepted(draft: Draft, event: TrafficEvent, { conversationId, userMessageId }: Of<'accepted'>): void {
  const own = ownTurn(draft, event);
  const turn = draft.turns.find((one) => one.platform === event.platform && one.userMessageId === userMessageId) ?? own;
  if (turn === undefined) return;
  bind(draft, draft.change(turn, { userMessageId, activeAt: draft.now }), conversationId);
}

function onDecoded(draft: Draft, event: TrafficEvent, decoded: DecodedEvent): void {
  switch (decoded.type) {
    case 'accepted':
      onAccepted(draft, event, decoded);
      break;
    case 'refused':
      onRefused(draft, event, decoded);
      break;
    case 'progress':
      onProgress(draft, event, decoded);
      break;
    case 'final':
      onFinal(draft, event, decoded);
      break;
    case 'incomplete':
      onIncomplete(draft, event, decoded);
      break;
    case 'handoff':
      onUnseen(draft, event, decoded.conversationId);
      break;
    case 'opaque':
      onUnseen(draft, event, null);
      break;
    case 'error':
    case 'limit':
    case 'challenge':
    case 'signed_out':
      onFailure(draft, event);
      break;
    case 'reading':
      onReading(draft, event, decoded.reading);
      break;
    case 'account':
    case 'drift':
      break;
    default:
      decoded satisfies never;
  }
}

function onSend(draft: Draft, event: Extract<TrafficEvent, { type: 'send' }>): void {
  const { platform, tabId, requestId, at, send } = event;
  const again = ownTurn(draft, event);
  // A new session of the browser counts its requests from the beginning.
  if (again !== undefined && again.final !== null) draft.change(again, { requestId: null });
  else if (again !== undefined) draft.close(again);
  const id = `send/${platform}/${requestId}/${at}`;
  draft.open({ platform, tabId, requestId, id, send, conversationId: send.conversationId });
}

function onEnded(draft: Draft, event: Extract<TrafficEvent, { type: 'ended' }>): void {
  const turn = ownTurn(draft, event);
  if (turn === undefined || !isOpen(turn)) return;
  // Where the answer comes on another stream, the end of the send alone means nothing.
  if (event.error !== null || turn.hasOwnStream) draft.wait(turn);
}

export function onTraffic(draft: Draft, event: TrafficEvent): void {
  switch (event.type) {
    case 'send':
      onSend(draft, event);
      break;
    case 'status':
      if (event.role === 'send' && (event.isChallenge || event.status >= 400)) onFailure(draft, event);
      break;
    case 'decoded':
      onDecoded(draft, event, event.event);
      break;
    case 'ended':
      onEnded(draft, event);
      break;
    default:
      event satisfies never;
  }
}
