import { setTimeout } from 'node:timers/promises';

const LOOK_MS = 5;

/** Looks until `look` holds. The test's own limit ends what never comes. */
export async function until(look: () => boolean): Promise<void> {
  while (!look()) await setTimeout(LOOK_MS);
}
