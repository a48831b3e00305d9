/**
 * A turn: one question of the person and the assistant's answer to it, from the first sign of it until its final message
 * is stored in the queue.
 *
 * - `streaming`: the answer is expected on a stream that is observed.
 * - `waiting`: the stream has ended without an end mark, or cannot be observed. A reading of the conversation decides.
 * - `confirming`: the final text is there; a reading may give a better one, for a short time.
 * - `unbound`: the final text is there; the id of the conversation is not, for a short time.
 * - `offered`: the message is on its way into the queue.
 * - `set_aside`: the message failed each time that it was offered. It is kept, shown, and offered once more at each start
 *   of the browser.
 */
import { z } from 'zod';
import { PlatformSchema } from '../../../schema/contracts/common.ts';

export const TURN_PHASES = ['streaming', 'waiting', 'confirming', 'unbound', 'offered', 'set_aside'] as const;

/** The ids of one turn's answers that were seen in progress. */
export const MAX_SEEN = 32;
export const MAX_TURNS = 50;
/** Of these, turns that are set aside. */
export const MAX_SET_ASIDE = 10;
export const MAX_SENT = 2_000;

const IdSchema = z.string().max(256);

const AnswerSchema = z.object({
  messageId: IdSchema,
  text: z.string(),
  /** When it became final, Unix milliseconds. */
  at: z.number(),
  /** `dom`: the code blocks that the page shows, and nothing else of the answer. */
  source: z.enum(['network', 'dom']).default('network'),
});
export type FinalAnswer = z.infer<typeof AnswerSchema>;

export const TurnSchema = z.object({
  id: z.string().max(600),
  platform: PlatformSchema,
  /** -1 when no tab is known. */
  tabId: z.number().int(),
  /** The request of the send; null when none was seen. */
  requestId: z.string().max(256).nullable(),
  conversationId: IdSchema.nullable(),
  isTemporary: z.boolean(),
  organizationId: IdSchema.nullable(),
  userMessageId: IdSchema.nullable(),
  /** Of the person's text, by which a reading is searched when the site gives the ids later. */
  userTextKey: z.string().max(64).nullable(),
  /** The person's message that it follows, as in `SeenSend`. */
  followsId: IdSchema.nullish(),
  /** The id that the send gave the answer. */
  namedId: IdSchema.nullable(),
  /** Ids of answers seen in progress. */
  seenIds: z.array(IdSchema).max(MAX_SEEN),
  phase: z.enum(TURN_PHASES),
  /** Whether the answer has appeared in the response to the send itself. */
  hasOwnStream: z.boolean(),
  /**
   * Our own reading of the conversation: at most one. `undecided`: it failed or came too early, so that what the page
   * shows in the end decides; `looking`: the page is asked for that.
   */
  reading: z.enum(['none', 'asked', 'undecided', 'looking', 'done']),
  /** How often the page was asked. */
  looks: z.number().int().nonnegative().default(0),
  /** The tab was on a page that starts a conversation when it was last seen. */
  isOnShellPage: z.boolean(),
  openedAt: z.number(),
  /** The last sign of the answer. */
  activeAt: z.number(),
  /** Since when the phase is what it is. */
  phaseAt: z.number(),
  /** Since when the page shows a finished answer; null while it does not. */
  settledAt: z.number().nullable(),
  final: AnswerSchema.nullable(),
  /** When the queue, which could not take the message, gets it again; null: it has it, or will. */
  offerAt: z.number().nullable().default(null),
  /** How often the message failed on its way into the queue. */
  failures: z.number().int().nonnegative().default(0),
});
export type Turn = z.infer<typeof TurnSchema>;

/** One turn that cannot be read takes no other one with it. */
export const TurnsSchema = z
  .array(TurnSchema.nullable().catch(null))
  .max(MAX_TURNS)
  .transform((turns) => turns.filter((turn) => turn !== null));
export const SentSchema = z.array(z.string().max(600)).max(MAX_SENT);

export interface TurnsState {
  turns: Turn[];
  /** Keys of the messages that are in the queue or were, oldest first. */
  sent: string[];
}

export const NO_TURNS: TurnsState = { turns: [], sent: [] };

export function sentKey({ platform, conversationId }: Turn, messageId: string): string {
  return JSON.stringify([platform, conversationId, messageId]);
}

/** The name of a turn whose send was not seen. */
export function answerTurnId(platform: Turn['platform'], messageId: string): string {
  return `answer/${platform}/${messageId}`;
}

/** Whether the person's send or a stream has named this answer. */
export function names({ namedId, seenIds, final }: Turn, messageId: string): boolean {
  return namedId === messageId || seenIds.includes(messageId) || final?.messageId === messageId;
}

/** How many messages are set aside. */
export function setAsideCount({ turns }: TurnsState): number {
  return turns.filter(({ phase }) => phase === 'set_aside').length;
}

/** Whether the final text of the turn is still to come. */
export function isOpen({ phase }: Turn): boolean {
  return phase === 'streaming' || phase === 'waiting';
}

/** The conversations in which an answer was awaited and none is any more. */
export function endedConversations(
  { turns: before }: TurnsState,
  { turns: after }: TurnsState,
): { platform: Turn['platform']; conversationId: string }[] {
  if (before === after) return [];
  return before.flatMap((turn) => {
    const { id, platform, conversationId } = turn;
    if (conversationId === null || !isOpen(turn)) return [];
    const isAwaited = after.some(
      (other) =>
        other.id === id || (isOpen(other) && other.platform === platform && other.conversationId === conversationId),
    );
    return isAwaited ? [] : [{ platform, conversationId }];
  });
}
