/**
 * What the page says about a final answer. A message with blocks waits for it, since a page that shows others stops them. Of
 * a text without blocks nothing runs, so its message does not wait; a block in the page is reported then, as the decoder
 * has missed it.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import { mayHaveBlocks } from '../../../schema/domain/block-line.ts';
import { baaBlocks } from '../../lib/baa-blocks.ts';
import type { Opinion } from '../../messages.ts';
import type { PageCaller } from '../tabs/page-calls.ts';
import { CALL_MARGIN_MS } from '../tabs/page-calls.ts';
import type { SiteTab } from '../tabs/tab-registry.ts';
import type { FinalAnswer, Turn } from './turn.ts';

const OPINION_MS = 2_000;
/** The same while the page still draws the answer. */
const DRAWING_MS = 10_000;

interface Deps {
  pages: PageCaller;
  report: (platform: Platform, what: string) => void;
}

/** `tab`: the one that shows the answer; null when none does. Never rejects. */
export async function secondOpinion(
  deps: Deps,
  turn: Turn,
  answer: FinalAnswer,
  tab: SiteTab | null,
): Promise<Opinion> {
  // What the page shows is no second opinion on itself.
  if (tab === null || answer.source !== 'network') return 'absent';
  const given = ask(deps, turn, answer, tab.tabId);
  if (mayHaveBlocks(answer.text)) return await given;
  void given.then((opinion) => {
    if (opinion === 'differs') deps.report(turn.platform, 'drift: page: a block that the answer does not have');
  });
  return 'absent';
}

async function ask({ pages }: Deps, turn: Turn, { messageId, text }: FinalAnswer, tabId: number): Promise<Opinion> {
  const times = { timeoutMs: OPINION_MS, drawingMs: DRAWING_MS };
  const order = { messageId, answersId: turn.userMessageId, blocks: baaBlocks(text), ...times };
  try {
    return await pages.call(tabId, 'opinion', order, DRAWING_MS + CALL_MARGIN_MS);
  } catch {
    return 'absent';
  }
}
