/**
 * The second opinion on a captured message: the `baa` blocks in the page against those of the network's text, without
 * regard to white space, since an editor or a highlighter may change it.
 */
import type { Clock } from '../lib/clock.ts';
import type { Opinion, OpinionOrder, PageOpinion } from '../messages.ts';
import type { PageTurn, SitePage } from '../sites/page.ts';
import { nextTurn } from './composing/waiting.ts';
import { newestAnswers } from './newest-answers.ts';

/** An answer is looked for among so many of the newest, so that a look costs the same in a long conversation. */
const LOOKED_AT = 10;
/** Without a change of the page. */
const LOOK_AGAIN_MS = 100;
/** The looks of one opinion may take so long together without a wait: a page mostly draws the end of an answer in a few steps. */
const FREE_LOOK_MS = 50;
/** Beyond that they take at most a tenth of the time, however often the page changes. */
const COST_FACTOR = 10;

function normalized(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** What one look says. `absent`: the page does not show the message, or not all of it. */
export function compare(turn: PageTurn | undefined, blocks: readonly string[]): Opinion {
  if (turn === undefined || !turn.isFinished) return 'absent';
  const shown: string[] = [];
  for (const { text } of turn.blocks) {
    if (text === null) return 'absent';
    shown.push(normalized(text));
  }
  const agrees = shown.length === blocks.length && blocks.every((text, at) => normalized(text) === shown[at]);
  return agrees ? 'agrees' : 'differs';
}

export interface OpinionDeps {
  document: Document;
  page: Pick<SitePage, 'newestTurns'>;
  clock: Clock;
}

/** The message among the newest answers, newest first; by the message that it answers where the page has no id of its own for it. */
function find(answers: readonly PageTurn[], { messageId, answersId }: OpinionOrder): PageTurn | undefined {
  const byQuestion = (turn: PageTurn) =>
    turn.id === null && typeof answersId === 'string' && turn.answersId === answersId;
  return answers.find(({ id }) => id === messageId) ?? answers.find(byQuestion);
}

class OpinionWait {
  readonly #deps: OpinionDeps;
  readonly #order: OpinionOrder;
  readonly #resolve: (opinion: PageOpinion) => void;
  readonly #observer: MutationObserver;
  #cancelEnd: () => void;
  #cancelLook: () => void = () => undefined;
  #opinion: PageOpinion = 'absent';
  /** The page shows the answer, and does not show it as finished. */
  #isDrawing = false;
  #isLate = false;
  #isDue = false;
  #hasEnded = false;
  readonly #begun: number;
  #lookedMs = 0;
  #notBefore = 0;

  constructor(deps: OpinionDeps, order: OpinionOrder, resolve: (opinion: PageOpinion) => void) {
    this.#deps = deps;
    this.#order = order;
    this.#resolve = resolve;
    const { document, clock } = deps;
    this.#begun = clock.now();
    this.#observer = new (document.defaultView ?? globalThis).MutationObserver(() => this.#onChange());
    this.#observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    this.#cancelEnd = clock.after(order.timeoutMs, () => this.#onTime());
    this.#look();
  }

  /** A slow page is still drawing what the network has said. */
  #onTime(): void {
    const { timeoutMs, drawingMs } = this.#order;
    if (!this.#isDrawing) {
      this.#end(this.#opinion);
      return;
    }
    this.#isLate = true;
    this.#cancelEnd = this.#deps.clock.after(drawingMs - timeoutMs, () => this.#end(this.#opinion));
  }

  /** Rendering comes after the network. A timer may take a second in a hidden page, so none is used where it can be. */
  #onChange(): void {
    if (this.#isDue || this.#hasEnded) return;
    this.#isDue = true;
    const waitMs = this.#notBefore - this.#deps.clock.now();
    if (waitMs > 0) this.#lookAfter(waitMs);
    else void nextTurn().then(() => this.#look());
  }

  #lookAfter(waitMs: number): void {
    this.#cancelLook();
    this.#cancelLook = this.#deps.clock.after(waitMs, () => this.#look());
  }

  #look(): void {
    if (this.#hasEnded) return;
    const { clock } = this.#deps;
    this.#isDue = false;
    const start = clock.now();
    try {
      if (this.#isDecided()) this.#end(this.#opinion);
    } catch {
      this.#end('absent');
    }
    if (this.#hasEnded) return;
    this.#lookedMs += Math.max(1, clock.now() - start);
    this.#notBefore = this.#begun + Math.max(0, this.#lookedMs - FREE_LOOK_MS) * COST_FACTOR;
    this.#lookAfter(LOOK_AGAIN_MS);
  }

  #isDecided(): boolean {
    const { document, page } = this.#deps;
    const answers = newestAnswers(page, document, LOOKED_AT);
    const turn = find(answers, this.#order);
    this.#opinion = compare(turn, this.#order.blocks);
    this.#isDrawing = turn !== undefined && !turn.isFinished;
    // Without names, nothing will ever say which of these the message is.
    const isNameless = answers.length > 0 && answers.every((turn) => turn.isNameless === true);
    if (isNameless && this.#opinion !== 'agrees') this.#opinion = 'nameless';
    return this.#opinion === 'agrees' || isNameless || (this.#isLate && !this.#isDrawing);
  }

  #end(opinion: PageOpinion): void {
    this.#hasEnded = true;
    this.#observer.disconnect();
    this.#cancelLook();
    this.#cancelEnd();
    this.#resolve(opinion);
  }
}

/** Looks at each change until the page agrees, or until the time is over. */
export function giveOpinion(deps: OpinionDeps, order: OpinionOrder): Promise<PageOpinion> {
  return new Promise((resolve) => new OpinionWait(deps, order, resolve));
}
