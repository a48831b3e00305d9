/**
 * What the page says about a final answer. A message with blocks waits for it, since a page that shows others stops them. Of
 * a text without blocks nothing runs, so its message does not wait; a block in the page is reported then, as the decoder
 * has missed it.
 *
 * While a reading confirms an answer, the page is asked about the text of the stream already. That it agrees counts when the
 * confirmed text has the same blocks in the same message. Anything else that it says then counts for nothing: it is asked
 * again about what is sent, unless it names no messages at all.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import { mayHaveBlocks } from '../../../schema/domain/block-line.ts';
import { baaBlocks } from '../../lib/baa-blocks.ts';
import type { Opinion, OpinionOrder, PageOpinion } from '../../messages.ts';
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
  /** Null until the page has said something. */
  has: PageOpinion | null;
  said: Promise<PageOpinion>;
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
    const ahead: Ahead = { question, has: null, said: this.#ask(question) };
    void ahead.said.then((opinion) => {
      ahead.has = opinion;
    });
    this.#ahead.set(turn.id, ahead);
    const [oldest] = this.#ahead.keys();
    if (this.#ahead.size > MAX_TURNS && oldest !== undefined) this.#ahead.delete(oldest);
  }

  /** Whether the message of that answer waits for the page. */
  isWaitedFor({ source, text }: FinalAnswer): boolean {
    return source === 'network' && mayHaveBlocks(text);
  }

  /** On the answer that is sent. Never rejects. */
  async of(turn: Turn, answer: FinalAnswer, tab: SiteTab | null): Promise<Opinion> {
    const ahead = this.#ahead.get(turn.id);
    this.#ahead.delete(turn.id);
    // What the page shows is no second opinion on itself.
    if (tab === null || !this.isWaitedFor(answer)) return 'absent';
    const opinion = await this.#opinion(questionOf(turn, answer, tab), ahead);
    return opinion === 'nameless' ? 'absent' : opinion;
  }

  /** Asks about an answer whose message was sent without the page. */
  checkUnasked(turn: Turn, answer: FinalAnswer, tab: SiteTab | null): void {
    if (tab === null || answer.source !== 'network' || this.isWaitedFor(answer)) return;
    void this.#ask(questionOf(turn, answer, tab)).then((opinion) => {
      if (opinion === 'differs') this.#deps.report(turn.platform, 'drift: page: a block that the answer does not have');
    });
  }

  async #opinion(question: Question, ahead: Ahead | undefined): Promise<PageOpinion> {
    if (ahead === undefined || JSON.stringify(ahead.question) !== JSON.stringify(question)) return this.#ask(question);
    if (isLasting(ahead.has)) return ahead.has;
    const asked = this.#ask(question);
    return await Promise.race([asked, ahead.said.then((opinion) => (isLasting(opinion) ? opinion : asked))]);
  }

  async #ask({ tabId, order }: Question): Promise<PageOpinion> {
    try {
      return await this.#deps.pages.call(tabId, 'opinion', order, TIMES.drawingMs + CALL_MARGIN_MS);
    } catch {
      return 'absent';
    }
  }
}

/** A page that has named none of its messages will say the same again. */
function isLasting(opinion: PageOpinion | null): opinion is 'agrees' | 'nameless' {
  return opinion === 'agrees' || opinion === 'nameless';
}

function questionOf(turn: Turn, { messageId, text }: FinalAnswer, { tabId }: SiteTab): Question {
  return { tabId, order: { messageId, answersId: turn.userMessageId, blocks: baaBlocks(text), ...TIMES } };
}
