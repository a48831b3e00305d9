/**
 * What the page says about a final answer. A message with blocks waits for it, since a page that shows others stops them. Of
 * a text without blocks nothing runs, so its message does not wait; a block in the page is reported then, as the decoder
 * has missed it.
 *
 * While a reading confirms an answer, the page is asked about the text of the stream already. That it agrees counts when the
 * confirmed text has the same blocks in the same message. Anything else that it says then counts for nothing: it is asked
 * again about what is sent.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import { mayHaveBlocks } from '../../../schema/domain/block-line.ts';
import { baaBlocks } from '../../lib/baa-blocks.ts';
import type { Opinion, OpinionOrder } from '../../messages.ts';
import type { PageCaller } from '../tabs/page-calls.ts';
import { CALL_MARGIN_MS } from '../tabs/page-calls.ts';
import type { SiteTab } from '../tabs/tab-registry.ts';
import type { FinalAnswer, Turn } from './turn.ts';
import { MAX_TURNS } from './turn.ts';

/** `drawingMs`: the same while the page still draws the answer. */
const TIMES = { timeoutMs: 2_000, drawingMs: 10_000 } as const;

interface Deps {
  pages: PageCaller;
  report: (platform: Platform, what: string) => void;
}

interface Question {
  tabId: number;
  order: OpinionOrder;
}

interface Ahead {
  question: Question;
  hasAgreed: boolean;
  said: Promise<Opinion>;
}

export class SecondOpinions {
  readonly #deps: Deps;
  /** By turn, oldest first. */
  readonly #ahead = new Map<string, Ahead>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The text of the answer is about to be confirmed. `tab`: the one that shows it; null when none does. */
  askAhead(turn: Turn, answer: FinalAnswer, tab: SiteTab | null): void {
    if (tab === null || !mayHaveBlocks(answer.text)) return;
    const question = questionOf(turn, answer, tab);
    const ahead: Ahead = { question, hasAgreed: false, said: this.#ask(question) };
    void ahead.said.then((opinion) => {
      ahead.hasAgreed = opinion === 'agrees';
    });
    this.#ahead.set(turn.id, ahead);
    const [oldest] = this.#ahead.keys();
    if (this.#ahead.size > MAX_TURNS && oldest !== undefined) this.#ahead.delete(oldest);
  }

  /** On the answer that is sent. Never rejects. */
  async of(turn: Turn, answer: FinalAnswer, tab: SiteTab | null): Promise<Opinion> {
    const ahead = this.#ahead.get(turn.id);
    this.#ahead.delete(turn.id);
    // What the page shows is no second opinion on itself.
    if (tab === null || answer.source !== 'network') return 'absent';
    const question = questionOf(turn, answer, tab);
    if (mayHaveBlocks(answer.text)) return await this.#opinion(question, ahead);
    void this.#ask(question).then((opinion) => {
      if (opinion === 'differs') this.#deps.report(turn.platform, 'drift: page: a block that the answer does not have');
    });
    return 'absent';
  }

  async #opinion(question: Question, ahead: Ahead | undefined): Promise<Opinion> {
    if (ahead === undefined || JSON.stringify(ahead.question) !== JSON.stringify(question)) return this.#ask(question);
    if (ahead.hasAgreed) return 'agrees';
    const asked = this.#ask(question);
    return await Promise.race([asked, ahead.said.then((opinion) => (opinion === 'agrees' ? opinion : asked))]);
  }

  async #ask({ tabId, order }: Question): Promise<Opinion> {
    try {
      return await this.#deps.pages.call(tabId, 'opinion', order, TIMES.drawingMs + CALL_MARGIN_MS);
    } catch {
      return 'absent';
    }
  }
}

function questionOf(turn: Turn, { messageId, text }: FinalAnswer, { tabId }: SiteTab): Question {
  return { tabId, order: { messageId, answersId: turn.userMessageId, blocks: baaBlocks(text), ...TIMES } };
}
