/**
 * One delivery, from the agent's order to its result: pure. Promises, for every sequence of events: the button is pressed
 * at most once, and only after `pressed` was stored; nothing is pressed in another conversation, under another account, or
 * after the delivery was canceled; each delivery ends once, before the agent's own deadline.
 */
import { isSameText } from '../../lib/same-text.ts';
import type { ComposeOutcome, PageLook, PressOutcome, WithdrawOutcome } from '../../messages.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { Delivery, DeliveryEffect, DeliveryEvent, Moved, Order, Step } from './delivery-state.ts';
import { STORE_MS } from './delivery-state.ts';
import type { End } from './end.ts';
import { endOf } from './end.ts';
import type { Judgement } from './evidence.ts';
import { isOtherSent, judge, noEvidence, withTraffic } from './evidence.ts';
import { endOfRefusal, endOfWaiting, readiness } from './readiness.ts';

const LOOK_INTERVAL_MS = 400;
const CONFIRM_MS = 1_500;

/** Steps in which the button was certainly not pressed. */
const UNPRESSED: readonly Step[] = [
  'storing_start',
  'finding_tab',
  'looking',
  'identifying',
  'composing',
  'storing_press',
];
/** A request with the text was seen: of the button, or of the person, who has sent what was typed. */
const isRequested = ({ evidence }: Delivery): boolean => evidence !== null && evidence.requests.length > 0;
const isUnpressed = (delivery: Delivery): boolean => UNPRESSED.includes(delivery.step) && !isRequested(delivery);

const stay = (delivery: Delivery): Moved => ({ next: delivery, effects: [] });

function go(delivery: Delivery, step: Step, wakeAt: number | null, ...effects: DeliveryEffect[]): Moved {
  return { next: { ...delivery, step, wakeAt }, effects };
}

function finish(delivery: Delivery, end: End, now: number): Moved {
  const timed = { ...end, durationMs: now - delivery.startedAt };
  return go({ ...delivery, end: timed }, 'ended', null, { type: 'end', end: timed });
}

/** Ends what was not sent after the composer was cleared. */
function withdraw(delivery: Delivery, end: End, now: number): Moved {
  if (delivery.tabId === null) return finish(delivery, end, now);
  return go({ ...delivery, end }, 'withdrawing', now + CONFIRM_MS, { type: 'withdraw' });
}

function look(delivery: Delivery): Moved {
  return go(delivery, 'looking', delivery.times.readyBy, { type: 'look' });
}

function lookAgain(delivery: Delivery, reason: string, now: number): Moved {
  if (now >= delivery.times.readyBy) return finish(delivery, endOfWaiting(reason), now);
  const next = { ...delivery, waitingFor: reason };
  return go(next, 'looking', Math.min(now + LOOK_INTERVAL_MS, delivery.times.readyBy));
}

function onLook(delivery: Delivery, page: PageLook, account: string | null, now: number): Moved {
  const { order, times, isIdentified } = delivery;
  const ready = readiness(page, order.conversationId, now);
  if (ready.type === 'end') return finish(delivery, ready.end, now);
  if (ready.type === 'wait') return lookAgain(delivery, ready.reason, now);
  // A page that has not loaded its conversation yet has a composer already, and may lose what is sent from it.
  const isLoaded = order.conversationId === null || page.lastAnswer !== null;
  if (!isLoaded && now < times.loadedBy) return lookAgain(delivery, 'conversation_not_loaded', now);
  if (order.account !== null && account !== null && account !== order.account) {
    return finish(delivery, endOf('refused', 'account_changed'), now);
  }
  const isNamed = order.conversationId === null || page.shownConversation !== null;
  if (!isNamed && !isIdentified) return go(delivery, 'identifying', times.readyBy, { type: 'identify' });
  // From now on the person can send the text, too.
  const next = { ...delivery, evidence: noEvidence(now) };
  return go(next, 'composing', times.pressBy, { type: 'compose', timeoutMs: Math.max(0, times.pressBy - now) });
}

function onIdentified(delivery: Delivery, as: 'same' | 'other' | 'unknown', now: number): Moved {
  if (as === 'same') return look({ ...delivery, isIdentified: true });
  if (as === 'other') return finish(delivery, endOf('refused', 'other_conversation'), now);
  return finish(delivery, endOf('deferred', 'conversation_not_proven', { retryAfterMs: LOOK_INTERVAL_MS * 25 }), now);
}

/** Moves by what the evidence says now. */
function weigh(delivery: Delivery, now: number): Moved {
  const { evidence, tabId, order, times } = delivery;
  if (evidence === null || tabId === null) return stay(delivery);
  const judgement = judge(evidence, sentOf(delivery, tabId), now, times.endBy);
  switch (judgement.type) {
    case 'wait':
      return go(delivery, 'watching', judgement.until);
    case 'look':
      return go({ ...delivery, end: judgement.end }, 'checking', now + CONFIRM_MS, { type: 'withdraw' });
    case 'end':
      return onJudged(withFound(delivery, judgement, order), judgement, now);
    default:
      return judgement satisfies never;
  }
}

function withFound(delivery: Delivery, { request }: Extract<Judgement, { type: 'end' }>, order: Order): Delivery {
  const userMessageId = request?.send?.userMessageId ?? null;
  return {
    ...delivery,
    found: { userMessageId, conversationId: request?.send?.conversationId ?? order.conversationId },
  };
}

function onJudged(delivery: Delivery, { end, request }: Extract<Judgement, { type: 'end' }>, now: number): Moved {
  if (end.outcome === 'failed') return withdraw(delivery, end, now);
  if (end.outcome !== 'delivered') return finish(delivery, end, now);
  // The status of a request that could not be read proves nothing of this text: the page must show it.
  const unproven = endOf('uncertain', 'request_not_read', { httpStatus: end.httpStatus });
  const decided = request?.match === 'unread' ? unproven : end;
  return go({ ...delivery, end: decided }, 'confirming', now + CONFIRM_MS, { type: 'confirm' });
}

function onConfirmed(delivery: Delivery, isSeen: boolean, now: number): Moved {
  const { end } = delivery;
  if (end === null) return stay(delivery);
  const { httpStatus } = end;
  const isProven = end.outcome === 'delivered' || isSeen;
  const seen = isProven ? endOf('delivered', end.reason, { httpStatus, seenInPage: isSeen }) : end;
  return finish(delivery, seen, now);
}

/** No request was seen. A text that is still in the composer was not sent. */
function onChecked(delivery: Delivery, outcome: WithdrawOutcome | null, now: number): Moved {
  const { end, evidence } = delivery;
  if (end !== null && outcome?.wasThere === true && outcome.isCleared) return finish(delivery, end, now);
  // A refused preparation without a send is the site's word that nothing was taken.
  if (end !== null && end.httpStatus !== null && outcome !== null) return finish(delivery, end, now);
  const isOther = evidence !== null && isOtherSent(evidence);
  return finish(delivery, endOf('uncertain', isOther ? 'other_text_sent' : 'no_request_seen'), now);
}

function sentOf({ order }: Delivery, tabId: number) {
  return { tabId, conversationId: order.conversationId, text: order.text };
}

/** Before the press, only a message with exactly this text counts: what else the page sends is not of this delivery. */
function isOfTyped({ evidence, order }: Delivery, event: TrafficEvent): boolean {
  if (evidence?.requests.some(({ requestId }) => requestId === event.requestId)) return true;
  if (event.type !== 'send' || event.send.kind !== 'message') return false;
  return event.send.text !== null && isSameText(event.send.text, order.text);
}

const BEFORE_PRESS: readonly Step[] = ['composing', 'storing_press'];
const AFTER_PRESS: readonly Step[] = ['pressing', 'watching', 'checking'];

function onTraffic(delivery: Delivery, event: TrafficEvent, now: number): Moved {
  const { evidence, tabId, step } = delivery;
  const isEarly = BEFORE_PRESS.includes(step);
  if (evidence === null || tabId === null || !(isEarly || AFTER_PRESS.includes(step))) return stay(delivery);
  if (isEarly && !isOfTyped(delivery, event)) return stay(delivery);
  const grown = withTraffic(evidence, event, sentOf(delivery, tabId));
  if (grown === evidence) return stay(delivery);
  const next = { ...delivery, evidence: grown };
  // A press is marked first, and while the composer is looked at, the look ends first.
  return isEarly || step === 'checking' ? stay(next) : weigh(next, now);
}

/** Marks the press before it is made; also that of the person, which is not repeated. */
function markPress(delivery: Delivery, now: number): Moved {
  return go(delivery, 'storing_press', now + STORE_MS, { type: 'store', stage: 'pressed' });
}

function onStored(delivery: Delivery, now: number): Moved {
  const { step, times } = delivery;
  if (step === 'storing_start') return go(delivery, 'finding_tab', times.readyBy, { type: 'find_tab' });
  if (step !== 'storing_press') return stay(delivery);
  if (isRequested(delivery)) return weigh({ ...delivery, step: 'watching' }, now);
  if (now >= times.pressBy) return withdraw(delivery, endOf('deferred', 'timeout', { retryAfterMs: 0 }), now);
  const next = { ...delivery, evidence: noEvidence(now) };
  return go(next, 'pressing', times.endBy, { type: 'press', timeoutMs: Math.max(0, times.pressBy - now) });
}

function onComposed(delivery: Delivery, outcome: ComposeOutcome, now: number): Moved {
  if (outcome.typed || isRequested(delivery)) return markPress(delivery, now);
  return finish(delivery, endOfRefusal(outcome.refusal, outcome.look, now), now);
}

function onPressed(delivery: Delivery, outcome: PressOutcome, now: number): Moved {
  if (outcome.pressed) return weigh({ ...delivery, step: 'watching' }, now);
  // A request of the message says that it was sent all the same, by the person.
  if (isRequested(delivery)) return weigh({ ...delivery, step: 'watching' }, now);
  return finish(delivery, endOfRefusal(outcome.refusal, outcome.look, now), now);
}

/** The page was reloaded or closed while it worked. */
function onCallLost(delivery: Delivery, now: number): Moved {
  switch (delivery.step) {
    case 'composing':
      if (isRequested(delivery)) return markPress(delivery, now);
      return finish(delivery, endOf('deferred', 'page_reloaded', { retryAfterMs: LOOK_INTERVAL_MS * 10 }), now);
    case 'pressing':
      return weigh({ ...delivery, step: 'watching' }, now);
    default:
      return stay(delivery);
  }
}

function onTime(delivery: Delivery, now: number): Moved {
  const { step, wakeAt, times, end } = delivery;
  if (wakeAt === null || now < wakeAt) return stay(delivery);
  switch (step) {
    case 'storing_start':
      return finish(delivery, endOf('deferred', 'storage_not_available', { retryAfterMs: STORE_MS }), now);
    case 'storing_press':
      if (isRequested(delivery)) return weigh({ ...delivery, step: 'watching' }, now);
      return withdraw(delivery, endOf('deferred', 'storage_not_available', { retryAfterMs: STORE_MS }), now);
    case 'finding_tab':
    case 'identifying':
      return finish(delivery, endOfWaiting(delivery.waitingFor), now);
    case 'looking':
      return now >= times.readyBy ? finish(delivery, endOfWaiting(delivery.waitingFor), now) : look(delivery);
    case 'composing':
      if (isRequested(delivery)) return markPress(delivery, now);
      return withdraw(delivery, endOf('deferred', 'timeout', { retryAfterMs: LOOK_INTERVAL_MS * 10 }), now);
    case 'pressing':
    case 'watching':
      return weigh(delivery, now);
    case 'checking':
      return onChecked(delivery, null, now);
    case 'confirming':
      return onConfirmed(delivery, false, now);
    case 'withdrawing':
      return finish(delivery, end ?? endOf('uncertain', 'no_evidence'), now);
    case 'ended':
      return stay(delivery);
    default:
      return step satisfies never;
  }
}

/**
 * A delivery whose button may have been pressed runs on until its end is known, which is kept for a repeat of the plan. A
 * page that still waits for its button is stopped.
 */
function onCanceled(delivery: Delivery, reason: string, now: number): Moved {
  if (isUnpressed(delivery)) return withdraw(delivery, endOf('refused', reason), now);
  return { next: delivery, effects: delivery.step === 'pressing' ? [{ type: 'withdraw' }] : [] };
}

/** Events that only count in the step that asked for them. */
const ASKED_IN: Partial<Record<DeliveryEvent['type'], readonly Step[]>> = {
  stored: ['storing_start', 'storing_press'],
  tab_found: ['finding_tab'],
  no_tab: ['finding_tab'],
  looked: ['looking'],
  not_looked: ['looking'],
  identified: ['identifying'],
  composed: ['composing'],
  pressed: ['pressing'],
  withdrawn: ['checking', 'withdrawing'],
  confirmed: ['confirming'],
};

export function moveDelivery(delivery: Delivery, event: DeliveryEvent, now: number): Moved {
  const asked = ASKED_IN[event.type];
  if (delivery.step === 'ended' || (asked && !asked.includes(delivery.step))) return stay(delivery);
  switch (event.type) {
    case 'stored':
      return onStored(delivery, now);
    case 'tab_found':
      return look({ ...delivery, tabId: event.tabId });
    case 'no_tab':
      return finish(delivery, event.end, now);
    case 'looked':
      return onLook(delivery, event.look, event.account, now);
    case 'not_looked':
      if (event.isTabGone) return finish(delivery, endOfWaiting('tab_closed'), now);
      return lookAgain(delivery, 'page_not_ready', now);
    case 'identified':
      return onIdentified(delivery, event.as, now);
    case 'composed':
      return onComposed(delivery, event.outcome, now);
    case 'pressed':
      return onPressed(delivery, event.outcome, now);
    case 'call_lost':
      return onCallLost(delivery, now);
    case 'withdrawn':
      if (delivery.step === 'checking') return onChecked(delivery, event.outcome, now);
      return finish(delivery, delivery.end ?? endOf('uncertain', 'no_evidence'), now);
    case 'confirmed':
      return onConfirmed(delivery, event.isSeen, now);
    case 'traffic':
      return onTraffic(delivery, event.event, now);
    case 'canceled':
      return onCanceled(delivery, event.reason, now);
    case 'time':
      return onTime(delivery, now);
    default:
      return event satisfies never;
  }
}
