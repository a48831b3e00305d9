/**
 * The newest answer as the page itself proves it. A document does not say how a text was fenced, so an answer counts only
 * when nothing but `baa` blocks follows its first one, at the top of its text: where a fence within a block has cut that
 * block, or the block is a sample in a list or a quotation, something else is around it.
 */
import type { FinalInPage, PageTurn } from '../../page.ts';
import { codeBlocksIn, codeOf, meaningOf } from './blocks.ts';
import { isAnswering } from './composer.ts';
import { around, findAll } from './finding.ts';
import { obstacleOf } from './obstacle.ts';
import { SELECTORS } from './selectors.ts';
import { newestTurnsOf } from './turns.ts';

const INSIDE = 'li, blockquote, details, table';
/** What is no text, but may follow a block all the same. */
const EMPTY_BLOCKS = 'img, svg, hr, table, input, iframe, video, audio, canvas, object';

const no = (reason: string): FinalInPage => ({ isFinal: false, reason });

export function finalAnswerOf(document: Document, now: number): FinalInPage {
  if (isAnswering(document)) return no('answer_is_streaming');
  // Also a question whether to continue, which of two answers is better, or a failure of the turn.
  if (obstacleOf(document, now) !== null) return no('obstacle');
  const [answer, question] = newestTurnsOf(document);
  if (answer?.role !== 'assistant' || answer.id === null || !answer.isFinished) return no('not_finished');
  // Commentary is a message of the assistant too, and in the page it looks like one.
  if (question?.role !== 'user') return no('several_messages');
  const blocks = blocksIn(answer);
  return 'reason' in blocks
    ? no(blocks.reason)
    : { isFinal: true, id: answer.id, questionId: question.id, blocks: blocks.texts };
}

function blocksIn({ element }: PageTurn): { texts: string[] } | { reason: string } {
  const [text, ...others] = findAll(element, SELECTORS.text);
  if (text === undefined || others.length > 0) return { reason: 'several_texts' };
  const turn = around(element, SELECTORS.legacyTurn) ?? around(element, SELECTORS.unitTurn) ?? element;
  const all = codeBlocksIn(turn);
  const own = all.filter((block) => meaningOf(block) !== 'other');
  const [first] = own;
  if (first === undefined) return { reason: 'no_block' };
  if (own.some((block) => !text.contains(block))) return { reason: 'block_outside_answer' };
  if (own.some((block) => block.parentElement?.closest(INSIDE))) return { reason: 'block_inside_other' };
  if (isFollowed(text, first, all, own)) return { reason: 'text_behind_block' };
  // What the text does not call a block must not become one here.
  if (own.some((block) => meaningOf(block) === 'unclear')) return { reason: 'block_in_capitals' };
  const texts = own.map(codeOf);
  return texts.includes(null) ? { reason: 'block_not_whole' } : { texts: texts.filter((one) => one !== null) };
}

/** Whether anything but a `baa` block comes after the first of them. */
function isFollowed(text: Element, first: Element, all: readonly Element[], own: readonly Element[]): boolean {
  const isBehind = (node: Node) =>
    (first.compareDocumentPosition(node) & node.DOCUMENT_POSITION_FOLLOWING) !== 0 &&
    !own.some((block) => block.contains(node));
  if (all.some((block) => text.contains(block) && isBehind(block))) return true;
  if ([...text.querySelectorAll(EMPTY_BLOCKS)].some(isBehind)) return true;
  const walker = text.ownerDocument.createTreeWalker(text, 4 /* NodeFilter.SHOW_TEXT */);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if ((node.nodeValue ?? '').trim() !== '' && isBehind(node)) return true;
  }
  return false;
}
