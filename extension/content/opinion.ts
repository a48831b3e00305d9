/**
 * The second opinion on a captured message: the `baa` blocks in the page against those of the network's text, without
 * regard to white space, since an editor or a highlighter may change it.
 */
import type { Clock } from '../lib/clock.ts';
import type { Opinion, OpinionOrder } from '../messages.ts';
import type { PageTurn, SitePage } from '../sites/page.ts';

const LOOK_AGAIN_MS = 100;

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
  page: Pick<SitePage, 'turns'>;
  clock: Clock;
}

/** The message in the page; by the message that it answers where the page has no id of its own for it. */
function find(turns: readonly PageTurn[], { messageId, answersId }: OpinionOrder): PageTurn | undefined {
  const answers = turns.filter(({ role }) => role === 'assistant');
  const byQuestion = (turn: PageTurn) =>
    turn.id === null && typeof answersId === 'string' && turn.answersId === answersId;
  return answers.find(({ id }) => id === messageId) ?? answers.findLast(byQuestion);
}

/** Looks until the page agrees, or until the time is over: rendering comes after the network. */
export function giveOpinion({ document, page, clock }: OpinionDeps, order: OpinionOrder): Promise<Opinion> {
  const end = clock.now() + order.timeoutMs;
  return new Promise((resolve) => {
    const look = () => {
      const opinion = compare(find(page.turns(document), order), order.blocks);
      if (opinion === 'agrees' || clock.now() + LOOK_AGAIN_MS > end) resolve(opinion);
      else clock.after(LOOK_AGAIN_MS, safely);
    };
    const safely = () => {
      try {
        look();
      } catch {
        resolve('absent');
      }
    };
    safely();
  });
}
