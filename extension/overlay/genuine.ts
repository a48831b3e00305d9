/**
 * Whether an event is a person's own press of a button that the person can see. A page can send events of its own, which
 * are not trusted, and it can lay something over the panel or make it see-through, which is checked at the moment of the
 * press: the panel is alone in the top layer, and nothing around it makes it fainter. A page that changes
 * back between two frames is not seen by this; therefore an approval needs two presses in different places, with a wait
 * between them.
 */

import { insideShadows } from './inside-shadows.ts';

/** The least opacity at which a person still reads the panel. */
const MIN_OPACITY = 0.9;

export type Verdict = 'genuine' | 'forged' | 'covered';

export interface PressEvent {
  isTrusted: boolean;
  /** Zero for a press by keyboard. */
  detail: number;
  clientX: number;
  clientY: number;
}

type Style = Pick<CSSStyleDeclaration, 'opacity' | 'filter' | 'transform' | 'clipPath' | 'visibility' | 'mixBlendMode'>;

export interface Surroundings {
  /** The topmost element of the document at that point; the host, when it is of the panel. */
  topAt(x: number, y: number): Element | null;
  host: Element;
  /** Whether the host is in the top layer, above everything of the page that is not there too. */
  isOnTop: boolean;
  /**
   * Whether the top layer holds anything else. Wherever it is, its children, its shadow and its backdrop can hide the
   * panel and let presses through.
   */
  hasOthers: boolean;
  /** Whether the page shows pictures of itself in place of itself, as during a view transition. */
  isPictured: boolean;
  styleOf(element: Element): Style;
}

export function judgePress(event: PressEvent, surroundings: Surroundings): Verdict {
  if (!event.isTrusted) return 'forged';
  const { topAt, host, isOnTop, hasOthers, isPictured, styleOf } = surroundings;
  if (!isOnTop || hasOthers || isPictured) return 'covered';
  for (let element: Element | null = host; element !== null; element = element.parentElement) {
    if (!isPlain(styleOf(element))) return 'covered';
  }
  if (event.detail === 0) return 'genuine';
  return topAt(event.clientX, event.clientY) === host ? 'genuine' : 'covered';
}

function isPlain({ opacity, filter, transform, clipPath, visibility, mixBlendMode }: Style): boolean {
  const hasNoEffect = [filter, transform, clipPath].every((value) => value === '' || value === 'none');
  const isShown = Number(opacity || '1') >= MIN_OPACITY && visibility !== 'hidden';
  return hasNoEffect && isShown && (mixBlendMode === '' || mixBlendMode === 'normal');
}

const TOP_LAYER = ':popover-open, dialog:modal, :fullscreen';

/** Firefox before 144 has no view transitions, and refuses the selector. */
function isInTransition(element: Element): boolean {
  try {
    return element.matches(':active-view-transition');
  } catch {
    return false;
  }
}

/** The same in a document. */
export function pressJudge(host: Element): (event: PressEvent) => Verdict {
  const { ownerDocument } = host;
  const view = ownerDocument.defaultView;
  return (event) => {
    if (view === null) return 'forged';
    const inTopLayer = insideShadows(ownerDocument, TOP_LAYER);
    return judgePress(event, {
      topAt: (x, y) => ownerDocument.elementFromPoint(x, y),
      host,
      isOnTop: host.matches(':popover-open'),
      hasOthers: inTopLayer.some((one) => one !== host && one !== ownerDocument.documentElement),
      isPictured: isInTransition(ownerDocument.documentElement),
      styleOf: (element) => view.getComputedStyle(element),
    });
  };
}
