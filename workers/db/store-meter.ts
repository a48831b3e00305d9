/** Stores what this isolate has counted, when it is time. What cannot be stored is stored the next time. */
import { runBestEffort } from '../log.ts';
import { hourOf, storeCounts } from './counters.ts';
import { METER } from './meter.ts';
import { openDatabase, runBatch } from './open.ts';

export async function storeMeter({ DB }: Pick<Env, 'DB'>, now: number): Promise<void> {
  const counts = METER.take(now);
  if (counts === null) return;
  await runBestEffort('store_meter', async () => {
    try {
      const db = openDatabase(DB);
      await runBatch(db, [storeCounts(db, hourOf(now), counts)]);
    } catch (error) {
      METER.add(counts);
      throw error;
    }
  });
}
