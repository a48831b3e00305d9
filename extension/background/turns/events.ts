/** What happens to turns, and what follows from it. */
import type { Platform } from '../../../schema/contracts/common.ts';
import type { PageLook, ShownAnswer } from '../../messages.ts';
import type { PageAddress, SiteReading } from '../../sites/facts.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { FinalAnswer, Turn, TurnsState } from './turn.ts';

export type TurnEvent =
  | { type: 'traffic'; event: TrafficEvent }
  /** A tab shows something else now. */
  | { type: 'page'; platform: Platform; tabId: number; look: Pick<PageLook, 'address' | 'isAnswering' | 'lastAnswer'> }
  /** Our own reading has ended; null: without a result. `wasAsked` is false when no open page could read. */
  | { type: 'own_reading'; turnId: string; wasAsked: boolean; reading: SiteReading | null }
  /** What the page shows as the answer of the turn, when its conversation could not be read. */
  | { type: 'shown'; turnId: string; answer: ShownAnswer }
  /** The message of the turn is in the queue. */
  | { type: 'stored'; turnId: string }
  /** The queue has not taken it. `failed`: something went wrong on the way, so that it may fail each time. */
  | { type: 'not_stored'; turnId: string; why: 'full' | 'refused' | 'failed' }
  /** The queue has room again. */
  | { type: 'room' }
  /** Something else wants the conversation read, so that its answer is found if it is final. */
  | { type: 'reread'; platform: Platform; conversationId: string }
  | { type: 'tick' }
  /** The browser has started: what is set aside may be taken now. */
  | { type: 'browser_start' };

export type TurnEffect =
  /** Puts the message into the queue. */
  | { type: 'offer'; turn: Turn; answer: FinalAnswer }
  /** Reads the conversation from the site. */
  | { type: 'read'; turn: Turn; conversationId: string }
  /** Asks the page for the answer that it shows. */
  | { type: 'show'; turn: Turn; conversationId: string }
  /** Asks the page what it shows now: it may have reported its last change already. */
  | { type: 'look'; turn: Turn }
  /** Something that a person should be able to see; it holds no content of the conversation. */
  | { type: 'report'; platform: Platform; what: string; conversationId: string | null };

export interface TurnRules {
  /** Whether the text of this site is better taken from a reading. */
  confirmsByReading: (platform: Platform) => boolean;
  /** What the tab shows now; null when that is not known. */
  addressOf: (tabId: number) => PageAddress | null;
}

export interface Step {
  next: TurnsState;
  effects: TurnEffect[];
}

/** All times in milliseconds. */
export const TURN_LIMITS = {
  /** A stream without a sign of life for this long may be lost. */
  quiet: 90_000,
  /** The page has to show a finished answer for this long before the conversation is read. */
  settle: 3_000,
  /** The conversation is not read earlier than this after the stream was lost: the page itself may read it. */
  patience: 6_000,
  /** How long a reading that would give a better text is waited for. */
  confirm: 10_000,
  /** How long the id of a conversation is waited for after its answer is final. */
  bind: 30_000,
  /** A message that the queue could not take is offered again after this, or when there is room. */
  offerAgain: 60_000,
  /** A message that fails on its way is offered this often, each time after twice the wait, and then set aside. */
  offers: 6,
  /** Between two questions to a page that cannot give the answer yet, and how often it is asked. */
  showAgain: 20_000,
  shows: 3,
  /** A waiting turn without a sign of life is read once after this, with any page. */
  stale: 600_000,
  /** A turn that has not ended until then is given up: its page may be opened again by a person before that. */
  life: 6 * 3_600_000,
} as const;
