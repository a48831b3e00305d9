/**
 * Types a message into the composer of a page and presses send. Promises: nothing is typed while a person types, has a
 * draft, or an answer is written; nothing is pressed unless the composer shows exactly the text in the right conversation
 * at that moment, and holds no attachment; text that was typed and not sent is removed again; each plan is pressed at most
 * once. A file that the site has made of the text stays: no site marks it as ours in a way that is sure, so
 * the composer counts as occupied until a person removes it.
 */

import { isSameText, normalizeBreaks } from '../../lib/same-text.ts';
import { TYPING_PAUSE_MS } from '../../lib/typing-pause.ts';
import type {
  ComposeOrder,
  ComposeOutcome,
  ComposeRefusal,
  PageLook,
  PressOrder,
  PressOutcome,
  WithdrawOrder,
  WithdrawOutcome,
} from '../../messages.ts';
import type { PageAddress } from '../../sites/facts.ts';
import type { Composer, SitePage } from '../../sites/page.ts';
import { caretToEnd, emptyEditor, waysOf } from './typing.ts';
import { firstValue, nextTurn } from './waiting.ts';

export interface ComposingDeps {
  document: Document;
  page: SitePage;
  address(): PageAddress;
  look(): PageLook;
  /** How long ago the person used the keyboard in this page; null: not since it was loaded. */
  typedAgoMs(): number | null;
  /** Unix milliseconds. */
  now(): number;
}

export interface Composing {
  compose(order: ComposeOrder): Promise<ComposeOutcome>;
  press(order: PressOrder): Promise<PressOutcome>;
  withdraw(order: WithdrawOrder): Promise<WithdrawOutcome>;
}

class Refused extends Error {
  readonly refusal: ComposeRefusal;
  constructor(refusal: ComposeRefusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/** What is being sent now. */
interface Work {
  order: ComposeOrder;
  text: string;
  state: 'typing' | 'typed' | 'pressed' | 'ended';
  startedAt: number;
  deadline: number;
  abort: AbortController;
  /** Resolves when the typing has ended. */
  typing: Promise<ComposeOutcome> | null;
  cancelExpiry: () => void;
  detail: Record<string, string>;
}

class PageComposing implements Composing {
  readonly #deps: ComposingDeps;
  #work: Work | null = null;

  constructor(deps: ComposingDeps) {
    this.#deps = deps;
  }

  compose(order: ComposeOrder): Promise<ComposeOutcome> {
    const { look, now } = this.#deps;
    const isBusy = this.#work !== null && ['typing', 'typed'].includes(this.#work.state);
    if (isBusy) return Promise.resolve({ typed: false, refusal: 'composer_busy', detail: {}, look: look() });
    const startedAt = now();
    const work: Work = {
      order,
      text: normalizeBreaks(order.text),
      state: 'typing',
      startedAt,
      deadline: startedAt + order.timeoutMs,
      abort: new AbortController(),
      typing: null,
      cancelExpiry: () => undefined,
      detail: {},
    };
    this.#work = work;
    work.typing = this.#compose(work);
    return work.typing;
  }

  async press({ planId, timeoutMs }: PressOrder): Promise<PressOutcome> {
    const { look, now } = this.#deps;
    const work = this.#work;
    if (work?.order.planId !== planId || work.state !== 'typed') {
      return { pressed: false, refusal: 'not_composed', detail: {}, look: look() };
    }
    work.cancelExpiry();
    work.deadline = now() + timeoutMs;
    try {
      await this.#press(work);
      return { pressed: true, detail: work.detail };
    } catch (error) {
      const refusal = refusalOf(error);
      await this.#giveUp(work);
      return { pressed: false, refusal, detail: work.detail, look: look() };
    }
  }

  async withdraw({ planId, text }: WithdrawOrder): Promise<WithdrawOutcome> {
    const work = this.#work?.order.planId === planId ? this.#work : null;
    work?.cancelExpiry();
    work?.abort.abort();
    await work?.typing;
    if (work) work.state = 'ended';
    const composer = this.#composer();
    const wasThere = composer !== null && isSameText(this.#deps.page.composedText(composer), text);
    if (wasThere) await emptyEditor(composer.element, nextTurn);
    return { wasThere, isCleared: this.#composedText() === '' };
  }

  async #compose(work: Work): Promise<ComposeOutcome> {
    const { look } = this.#deps;
    try {
      this.#requireFree(work);
      await this.#type(work);
      work.state = 'typed';
      // Without `press` the text does not stay: the background page may be gone.
      const timer = setTimeout(() => void this.#giveUp(work), Math.max(0, work.deadline - this.#deps.now()));
      work.cancelExpiry = () => clearTimeout(timer);
      return { typed: true, detail: work.detail };
    } catch (error) {
      work.state = 'ended';
      return { typed: false, refusal: refusalOf(error), detail: work.detail, look: look() };
    }
  }

  async #type(work: Work): Promise<void> {
    const { page } = this.#deps;
    const composer = this.#requireComposer();
    work.detail.composer = composer.selector;
    const present = page.composedText(composer);
    if (isSameText(present, work.text)) return;
    if (present !== '') throw new Refused('draft_in_composer');
    const pause = () => this.#pause(work);
    for (const way of waysOf(composer.methods)) {
      const { element } = this.#requireComposer();
      try {
        caretToEnd(element);
        await way.type({ element, text: work.text, chunkChars: composer.chunkChars, pause });
        if (await this.#shows(work)) {
          work.detail.method = way.name;
          return;
        }
        if (this.#holdsAttachment()) throw new Refused('became_attachment');
        await this.#clear();
      } catch (error) {
        // What the person has typed into it is theirs now.
        if (!(error instanceof Refused && error.refusal === 'person_is_typing')) await this.#clear();
        throw error;
      }
    }
    throw new Refused('text_changed_by_editor');
  }

  /** Whether the composer shows exactly the text, at once or after the editor has drawn it. */
  async #shows(work: Work): Promise<boolean> {
    for (let turn = 0; turn < SETTLE_TURNS; turn++) {
      if (isSameText(this.#composedText(), work.text)) return true;
      await this.#pause(work);
    }
    return false;
  }

  async #press(work: Work): Promise<void> {
    const { document, page, now } = this.#deps;
    const left = Math.max(0, work.deadline - now());
    const found = await firstValue(document, () => page.sendButton(document), left, work.abort.signal);
    if (work.abort.signal.aborted) throw new Refused('canceled');
    if (found === null) throw new Refused('send_button_missing');
    this.#requireFree(work);
    if (!isSameText(this.#composedText(), work.text)) throw new Refused('text_changed_by_editor');
    work.detail.send = found.selector;
    work.state = 'pressed';
    found.element.click();
  }

  /** Throws the reason why nothing may be typed or pressed in this page now. */
  #requireFree(work: Work): void {
    const { page, document, now } = this.#deps;
    if (work.abort.signal.aborted) throw new Refused('canceled');
    if (now() >= work.deadline) throw new Refused('timeout');
    this.#requireConversation(work.order.conversationId);
    if (page.obstacle(document) !== null) throw new Refused('obstacle');
    if (page.isAnswering(document)) throw new Refused('answer_is_streaming');
    this.#requireQuietPerson();
    // It would go with our message.
    if (this.#holdsAttachment()) throw new Refused('draft_in_composer');
  }

  #requireConversation(wanted: string | null): void {
    const { page, document, address } = this.#deps;
    const { kind, conversationId } = address();
    const shown = page.shownConversation(document);
    const isWanted =
      wanted === null
        ? kind === 'new' && shown === null
        : kind === 'conversation' && conversationId === wanted && (shown === null || shown === wanted);
    if (!isWanted) throw new Refused('other_conversation');
  }

  #requireQuietPerson(): void {
    const typedAgoMs = this.#deps.typedAgoMs();
    if (typedAgoMs !== null && typedAgoMs < TYPING_PAUSE_MS) throw new Refused('person_is_typing');
  }

  async #pause(work: Work): Promise<void> {
    await nextTurn();
    if (work.abort.signal.aborted) throw new Refused('canceled');
    if (this.#deps.now() >= work.deadline) throw new Refused('timeout');
    this.#requireQuietPerson();
  }

  #composer(): Composer | null {
    return this.#deps.page.composer(this.#deps.document);
  }

  #requireComposer(): Composer {
    const composer = this.#composer();
    if (composer === null) throw new Refused('composer_missing');
    return composer;
  }

  #composedText(): string {
    const composer = this.#composer();
    return composer === null ? '' : this.#deps.page.composedText(composer);
  }

  #holdsAttachment(): boolean {
    const { page, document } = this.#deps;
    return (page.attachments?.(document) ?? 0) > 0;
  }

  /** Removes what was typed into a composer that was empty before. */
  async #clear(): Promise<void> {
    const composer = this.#composer();
    if (composer !== null && this.#composedText() !== '') await emptyEditor(composer.element, nextTurn);
  }

  /** Removes the text that was typed and will not be sent. */
  async #giveUp(work: Work): Promise<void> {
    if (work.state === 'pressed' || work.state === 'ended') return;
    work.state = 'ended';
    if (isSameText(this.#composedText(), work.text)) await this.#clear();
  }
}

/** Turns that an editor gets to draw what it was given. */
const SETTLE_TURNS = 20;

function refusalOf(error: unknown): ComposeRefusal {
  if (error instanceof Refused) return error.refusal;
  throw error;
}

export function startComposing(deps: ComposingDeps): Composing {
  return new PageComposing(deps);
}
