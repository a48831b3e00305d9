/**
 * Whether an event is a person's own press of a button that the person can see. A page can send events of its own, which
 * are not trusted, and it can lay something over the panel or make it see-through, which is checked at the moment of the
 * press. A page that changes back between two frames is not seen by this; therefore an approval needs two presses in
 * different places, with a wait between them.
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

interface Surroundings {
  /** The topmost element of the document at that point; the host, when it is of the panel. */
  topAt(x: number, y: number): Element | null;
  host: Element;
  styleOf(
    element: Element,
  ): Pick<CSSStyleDeclaration, 'opacity' | 'filter' | 'transform' | 'clipPath' | 'visibility' | 'mixBlendMode'>;
}

export function judgePress(event: PressEvent, { topAt, host, styleOf }: Surroundings): Verdict {
  if (!event.isTrusted) return 'forged';
  for (let element: Element | null = host; element !== null; element = element.parentElement) {
    const { opacity, filter, transform, clipPath, visibility, mixBlendMode } = styleOf(element);
    const isPlain = [filter, transform, clipPath].every((value) => value === '' || value === 'none');
    const isShown = Number(opacity || '1') >= MIN_OPACITY && visibility !== 'hidden';
    if (!isPlain || !isShown || (mixBlendMode !== '' && mixBlendMode !== 'normal')) return 'covered';
  }
  if (event.detail === 0) return 'genuine';
  return topAt(event.clientX, event.clientY) === host ? 'genuine' : 'covered';
}

/** The same in a document. */
export function pressJudge(host: Element): (event: PressEvent) => Verdict {
  const { ownerDocument } = host;
  const view = ownerDocument.defaultView;
  return (event) => {
    if (view === null) return 'forged';
    return judgePress(event, {
      topAt: (x, y) => ownerDocument.elementFromPoint(x, y),
      host,
      styleOf: (element) => view.getComputedStyle(element),
    });
  };
}
