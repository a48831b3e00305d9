/** The kept parts of logs, in their order. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { RunLog, RunStream } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import { run_logs } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';

/** Rows of one read: together at most a MiB. */
const ROWS_PER_READ = 16;

export interface LogPart {
  /** Where it begins in the log of the run. */
  position: number;
  stream: RunStream;
  /** Where it begins in its stream. */
  start: number;
  data: Uint8Array;
}

/** The parts of a log from that byte on. None: there is nothing more yet. */
export async function readLog(db: Database, run: string, log: RunLog, from: number): Promise<LogPart[]> {
  const rows = await db
    .select({ position: run_logs.position, stream: run_logs.stream, start: run_logs.start, data: run_logs.data })
    .from(run_logs)
    .where(
      and(
        eq(run_logs.run_id, run),
        eq(run_logs.log, log),
        // A row holds at most so many bytes, so no earlier one reaches this byte.
        gt(run_logs.position, from - RUN.log_row_bytes),
        sql`${run_logs.position} + ${run_logs.bytes} > ${from}`,
      ),
    )
    .orderBy(asc(run_logs.position))
    .limit(ROWS_PER_READ);
  return rows.map(({ position, stream, start, data }) => {
    const before = Math.max(0, from - position);
    return {
      position: position + before,
      stream,
      start: start + before,
      data: Uint8Array.fromBase64(data).subarray(before),
    };
  });
}
