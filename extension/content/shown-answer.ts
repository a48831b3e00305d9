/**
 * The answer that the page shows, for a turn whose conversation could not be read. It is taken when the site's page marks
 * it as complete and names it, in two looks with the same result, and only in a page that was there when the question was
 * sent and in which the person has pressed nothing since that could have stopped the answer: a page shows a stopped answer
 * as a complete one.
 */
import type { Clock } from '../lib/clock.ts';
import { fencedBlocks } from '../lib/fenced-blocks.ts';
import type { ShownAnswer, ShowOrder } from '../messages.ts';
import type { FinalInPage } from '../sites/page.ts';
import type { Site } from '../sites/site.ts';

const BETWEEN_LOOKS_MS = 2_000;

export interface ShownAnswerDeps {
  document: Document;
  location: Pick<Location, 'href'>;
  site: Pick<Site, 'wire' | 'page'>;
  clock: Clock;
  /** When this page began to be watched. */
  startedAt: number;
  /** When the person last pressed something while an answer was being written; null: never. */
  interruptedAt: () => number | null;
}

const no = (reason: string): ShownAnswer => ({ isFinal: false, reason });

function look({ document, location, site }: ShownAnswerDeps, { conversationId }: ShowOrder): FinalInPage {
  const { page, wire } = site;
  if (page.finalAnswer === undefined) return { isFinal: false, reason: 'page_has_no_marks' };
  const { conversationId: shown } = wire.addressOf(new URL(location.href));
  const named = page.shownConversation(document);
  const isHere = shown === conversationId && (named === null || named === conversationId);
  return isHere ? page.finalAnswer(document) : { isFinal: false, reason: 'other_conversation' };
}

function taken(seen: FinalInPage, deps: ShownAnswerDeps, { answerIds, questionId, since }: ShowOrder): ShownAnswer {
  if (!seen.isFinal) return seen;
  const isNamed = answerIds.includes(seen.id) || (questionId !== null && seen.questionId === questionId);
  if (!isNamed) return no('other_answer');
  if (deps.startedAt > since) return no('page_loaded_later');
  if ((deps.interruptedAt() ?? 0) >= since) return no('may_have_been_stopped');
  const text = fencedBlocks(seen.blocks);
  return text === null ? no('block_not_readable') : { isFinal: true, messageId: seen.id, text };
}

export async function showAnswer(deps: ShownAnswerDeps, order: ShowOrder): Promise<ShownAnswer> {
  const first = look(deps, order);
  if (!first.isFinal) return first;
  await new Promise<void>((resolve) => deps.clock.after(BETWEEN_LOOKS_MS, resolve));
  const second = look(deps, order);
  return JSON.stringify(first) === JSON.stringify(second) ? taken(second, deps, order) : no('changes');
}
