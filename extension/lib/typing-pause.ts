/** How long after a key the person counts as typing, so that nothing is typed or sent for them. */
export const TYPING_PAUSE_MS = 5_000;
