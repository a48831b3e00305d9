import type { InstructionEvent } from '../../../../schema/contracts/instructions.ts';

/** What a running program has printed so far, from the journal's entries. */
export function liveText(events: readonly InstructionEvent[]): string {
  return events
    .filter(({ kind }) => kind === 'output')
    .map(({ detail }) => (typeof detail.chunk === 'string' ? detail.chunk : ''))
    .join('');
}
