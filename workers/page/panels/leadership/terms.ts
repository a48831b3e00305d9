import type { LeaderTerm } from '../../../../schema/contracts/leader.ts';

/** A term and when the next one began; null for the one that lasts. */
export type Term = LeaderTerm & { ended_at: number | null };

/** The terms, newest first. A term is over when the next one begins, or earlier: the edge keeps no end. */
export function termsWithEnds(terms: readonly LeaderTerm[], isHeld: boolean): Term[] {
  return terms.map((term, at) => {
    const next = terms[at - 1];
    return { ...term, ended_at: next?.acquired_at ?? (isHeld ? null : term.acquired_at) };
  });
}
