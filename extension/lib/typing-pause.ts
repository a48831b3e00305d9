/** How long after a key the person counts as typing, so that nothing is typed or sent for them. */
export const TYPING_PAUSE_MS = 5_000;
/** A timer may end a little early. */
const TIMER_MARGIN_MS = 50;

/** How long to wait until the pause after the person's last key is over. */
export function typingPauseLeftMs(typedAgoMs: number | null): number {
  return Math.max(0, TYPING_PAUSE_MS - (typedAgoMs ?? 0)) + TIMER_MARGIN_MS;
}
