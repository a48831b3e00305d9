/** Writes of the tick log. */
import type { Tick } from '../../schema/contracts/ticks.ts';
import { ticks } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db/open.ts';

export function insertTick(db: Database, tick: Omit<Tick, 'tick_seq'>): Statement {
  return db.insert(ticks).values(tick);
}
