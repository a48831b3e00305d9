/** Takes the output of a run: at most a few rows each time, and of a long log only its beginning and its end. */
import type { SQL } from 'drizzle-orm';
import { and, asc, eq, gte, inArray, sql } from 'drizzle-orm';
import type { LogState, RunLog, RunLogsBody, RunLogsResponse } from '../../schema/contracts/runs.ts';
import { RUN_LOGS } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import { appendLog, logOf, trimFrom, trimLog } from '../../schema/domain/run-log.ts';
import { AppError } from '../../schema/errors.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { run_logs, runs } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import type { RunCaller } from './own-run.ts';
import { guardLive, requireOwnRun } from './own-run.ts';

/** Rows that one request looks at to drop them: more than a request can add. */
const MAX_TRIMMED = 200;

/** Throws `stale_run`, and `conflict` for a chunk that leaves a gap. */
export async function takeLogs(edge: Edge, caller: RunCaller, body: RunLogsBody): Promise<WritePlan<RunLogsResponse>> {
  const { db } = edge;
  const chunks = body.chunks.map((chunk) => ({ ...chunk, data: Uint8Array.fromBase64(chunk.data) }));
  const bytes = chunks.reduce((sum, { data }) => sum + data.length, 0);
  if (bytes > RUN.max_log_request_bytes) {
    throw new AppError('payload_too_large', `the chunks of a request have at most ${RUN.max_log_request_bytes} bytes`);
  }
  const own = await requireOwnRun(db, caller);
  const { run } = own;
  const appended = appendLog(run.log, await readNewest(db, run), chunks);
  if ('gap' in appended) throw gap(run.run_id, appended.gap);
  const { next, drops } = await trim(db, run.run_id, appended.next);
  const rows = appended.rows.map(({ data, ...row }) => ({
    run_id: run.run_id,
    log: logOf(row.stream),
    ...row,
    bytes: data.length,
    data: data.toBase64(),
  }));
  const isNews = rows.length > 0;
  return {
    guards: isNews ? [guardLive(db, own), guardLogAsRead(db, run)] : [],
    statements: isNews
      ? [
          ...insertRows(
            db,
            run_logs,
            rows,
            sql`ON CONFLICT (run_id, log, position) DO UPDATE SET bytes = excluded.bytes, data = excluded.data`,
          ),
          ...drops,
          db.update(runs).set({ log: next }).where(eq(runs.run_id, run.run_id)),
        ]
      : [],
    // The run has how far its log came; a row of the audit for each piece would be more than the piece.
    audited: false,
    response: { run_id: run.run_id, received: receivedOf(next) },
  };
}

function receivedOf({ streams }: LogState): RunLogsResponse['received'] {
  return { stdout: streams.stdout.bytes, stderr: streams.stderr.bytes, lifecycle: streams.lifecycle.bytes };
}

function gap(runId: string, { stream, offset, expected }: { stream: string; offset: number; expected: number }) {
  return new AppError(
    'conflict',
    `chunks: the edge has ${expected} bytes of ${stream} of the run ${runId}, and this chunk begins at ${offset}; send the bytes from ${expected} on`,
    { details: { field: 'chunks', stream, offset, expected_offset: expected } },
  );
}

/** The data of the newest row of each log, which the next bytes are added to. */
async function readNewest(db: Database, { run_id, log }: RunRow): Promise<Record<RunLog, Uint8Array | null>> {
  const rows = await db
    .select({ log: run_logs.log, data: run_logs.data })
    .from(run_logs)
    .where(
      and(
        eq(run_logs.run_id, run_id),
        sql`(${run_logs.log}, ${run_logs.position}) IN (VALUES
          ('output', ${log.logs.output.last?.position ?? -1}), ('lifecycle', ${log.logs.lifecycle.last?.position ?? -1}))`,
      ),
    );
  const dataOf = (wanted: RunLog) => {
    const found = rows.find((row) => row.log === wanted);
    return found === undefined ? null : Uint8Array.fromBase64(found.data);
  };
  return { output: dataOf('output'), lifecycle: dataOf('lifecycle') };
}

/** Two requests at once would add to the same place. */
function guardLogAsRead(db: Database, { run_id, log }: RunRow): Statement {
  const isAt = (name: RunLog): SQL => sql.raw(`(log ->> '$.logs.${name}.position') = ${log.logs[name].position}`);
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM runs WHERE run_id = ${run_id} AND ${isAt('output')} AND ${isAt('lifecycle')})`,
  );
}

/** Drops what a stream keeps too much of, a bounded number of rows. */
async function trim(db: Database, runId: string, state: LogState): Promise<{ next: LogState; drops: Statement[] }> {
  let next = state;
  const drops: Statement[] = [];
  for (const log of RUN_LOGS) {
    const from = trimFrom(next, log);
    if (from === null) continue;
    const { position, stream, start, bytes } = run_logs;
    const isIn = and(eq(run_logs.run_id, runId), eq(run_logs.log, log));
    const found = await db
      .select({ position, stream, start, bytes })
      .from(run_logs)
      .where(and(isIn, gte(position, from)))
      .orderBy(asc(position))
      .limit(MAX_TRIMMED);
    const trimmed = trimLog(next, log, found);
    next = trimmed.next;
    if (trimmed.drop.length > 0) drops.push(deleteRows(db, isIn, trimmed.drop));
  }
  return { next, drops };
}

function deleteRows(db: Database, isIn: SQL | undefined, positions: readonly number[]): Statement {
  const listed = sql`(SELECT value FROM json_each(${JSON.stringify(positions)}))`;
  return db.delete(run_logs).where(and(isIn, inArray(run_logs.position, listed)));
}
