/** What the page shows now, as one value. */
import type { PageLook } from '../messages.ts';
import type { Composer, Found } from '../sites/page.ts';
import type { Site } from '../sites/site.ts';
import { newestAnswers } from './newest-answers.ts';

export interface LookDeps {
  document: Document;
  location: Pick<Location, 'href'>;
  site: Pick<Site, 'wire' | 'page'>;
  /** When the person last used the keyboard in this page; null: not since it was loaded. */
  typedAt: () => number | null;
  now: () => number;
}

function composerState(deps: LookDeps, composer: Composer | null, isAnswering: boolean): PageLook['composer'] {
  const { document, site } = deps;
  if (composer === null) return document.readyState === 'complete' ? 'missing' : 'loading';
  if (site.page.composedText(composer).trim() !== '') return 'draft';
  // It would go with the next message.
  if ((site.page.attachments?.(document) ?? 0) > 0) return 'draft';
  return isAnswering ? 'busy' : 'empty';
}

/** A page without marks of its own shows an answer that it has lost in the same way as one that is over. */
function isOver({ document, site: { page } }: LookDeps, isAnswering: boolean): boolean {
  if (page.hasFinishMarks !== true || isAnswering) return false;
  const [newest] = page.newestTurns(document);
  return newest?.role === 'assistant' && newest.isFinished;
}

function driftOf(what: string, found: Found | null): string[] {
  return found === null || found.rank === 0 ? [] : [`${what}: ${found.selector}`];
}

export function lookAt(deps: LookDeps): PageLook {
  const { document, location, site, typedAt, now } = deps;
  const { page } = site;
  const composer = page.composer(document);
  const isAnswering = page.isAnswering(document);
  const answer = newestAnswers(page, document, 1)[0];
  const typed = typedAt();
  return {
    url: location.href,
    title: document.title,
    address: site.wire.addressOf(new URL(location.href)),
    shownConversation: page.shownConversation(document),
    isVisible: document.visibilityState === 'visible',
    composer: composerState(deps, composer, isAnswering),
    typedAgoMs: typed === null ? null : Math.max(0, now() - typed),
    isAnswering,
    isOver: isOver(deps, isAnswering),
    obstacle: page.obstacle(document),
    login: page.login(document),
    workspace: page.workspace?.(document),
    drift: [...driftOf('composer', composer), ...driftOf('send', page.sendButton(document))],
    lastAnswer:
      answer === undefined ? null : { id: answer.id, isFinished: answer.isFinished, chars: answer.text.length },
  };
}
