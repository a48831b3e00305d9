/**
 * Whether an event is a person's own press of a button that the person can see. A page can send events of its own, which
 * are not trusted, and it can lay something over the panel or make it see-through, which is checked at the moment of the
 * press: the panel is in the top layer, alone in its place, and nothing around it makes it fainter. A page that changes
 * back between two frames is not seen by this; therefore an approval needs two presses in different places, with a wait
 * between them.
 */

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

type Placed = Pick<Element, 'getBoundingClientRect'>;
type Style = Pick<CSSStyleDeclaration, 'opacity' | 'filter' | 'transform' | 'clipPath' | 'visibility' | 'mixBlendMode'>;

export interface Surroundings {
  /** The topmost element of the document at that point; the host, when it is of the panel. */
  topAt(x: number, y: number): Element | null;
  host: Element;
  /** What is drawn of the panel. */
  frame: Placed;
  /** Whether the host is in the top layer, above everything of the page that is not there too. */
  isOnTop: boolean;
  /** Other elements of the top layer. They can hide the panel and let presses through. */
  others: readonly Placed[];
  styleOf(element: Element): Style;
}

export function judgePress(event: PressEvent, surroundings: Surroundings): Verdict {
  if (!event.isTrusted) return 'forged';
  const { topAt, host, frame, isOnTop, others, styleOf } = surroundings;
  if (!isOnTop || others.some((other) => overlaps(other, frame))) return 'covered';
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

function overlaps(one: Placed, other: Placed): boolean {
  const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** The same in a document. `container`: what holds the panel. */
export function pressJudge(host: Element, container: Element): (event: PressEvent) => Verdict {
  const { ownerDocument } = host;
  const view = ownerDocument.defaultView;
  return (event) => {
    if (view === null) return 'forged';
    const inTopLayer = [...ownerDocument.querySelectorAll(':popover-open, dialog:modal, :fullscreen')];
    return judgePress(event, {
      topAt: (x, y) => ownerDocument.elementFromPoint(x, y),
      host,
      frame: container.firstElementChild ?? host,
      isOnTop: host.matches(':popover-open'),
      others: inTopLayer.filter((one) => one !== host && one !== ownerDocument.documentElement),
      styleOf: (element) => view.getComputedStyle(element),
    });
  };
}
