/**
 * The output of a task as text, byte for byte: its runs one after the other, stdout and stderr in the order in which they
 * arrived. A stream that follows reads D1 each second, slower while nothing comes, and closes when the task has ended.
 * When it has to end earlier, by the number of its queries or because its caller's token is not valid any more, it breaks
 * off instead, so that no reader takes a part for the whole; the reader continues with `offset`.
 *
 * `offset` counts all bytes that arrived. Where the edge no longer keeps some, a line says how many of what is asked for.
 */
import type { SQL } from 'drizzle-orm';
import { asc, eq, sql } from 'drizzle-orm';
import type { RunLog, RunStream } from '../../schema/contracts/runs.ts';
import { gapLine } from '../../schema/domain/log-gap.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import { runs, tasks } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { STREAM_MAX_QUERIES } from '../db/usage.ts';
import { readLog } from './log-reads.ts';

const POLL_MS = 1_000;
const POLL_MAX_MS = 5_000;

/** Where the text goes. */
export interface LogSink {
  /** The reader has gone. */
  readonly isGone: boolean;
  write(content: Uint8Array | string): Promise<void>;
  sleep(ms: number): Promise<void>;
}

export interface LogRequest {
  /** All runs of that task, or one run. */
  of: { task_id: string } | { run_id: string; log: RunLog; stream: RunStream | null };
  offset: number;
  follow: boolean;
  /** 1 while the caller may read, else 0 (SQL expression): its token can be revoked or expire meanwhile. */
  mayRead: () => SQL.Aliased<number>;
}

/** A run as far as its log was read. */
interface Source {
  run_id: string;
  log: RunLog;
  /** Where it begins in the text. */
  starts_at: number;
}

/** What the log has now, and whether more can come after what is stored. */
interface Turn {
  sources: (Source & { bytes: number })[];
  isOpen: boolean;
  isAllowed: boolean;
}

/** Where the text continues. */
interface Place {
  position: number;
  /** The same in the one stream that is asked for; null when it is not known. */
  own: number | null;
}

export async function streamLog(sink: LogSink, db: Database, request: LogRequest): Promise<void> {
  const { offset } = request;
  let place: Place = { position: offset, own: offset === 0 ? 0 : null };
  let waitMs = POLL_MS;
  for (;;) {
    const turn = await readTurn(db, request);
    if (!turn.isAllowed) throw new Error('the token of this reader is not valid any more');
    const before = place.position;
    place = await writeNew(sink, db, request, turn, place);
    if (sink.isGone || !request.follow) return;
    // What had ended before this turn was read has been written whole.
    if (!turn.isOpen) return;
    endAtLimit(db);
    waitMs = place.position > before ? POLL_MS : Math.min(POLL_MAX_MS, waitMs + POLL_MS / 4);
    await sink.sleep(waitMs);
  }
}

/** Breaks a stream off that has used its statements. */
function endAtLimit({ usage }: Database): void {
  if (usage.queries >= STREAM_MAX_QUERIES) throw new Error('this stream ends here; continue with offset');
}

/** Writes what the log has from there on, and returns where it stopped. */
async function writeNew(
  sink: LogSink,
  db: Database,
  { of, follow }: LogRequest,
  { sources }: Turn,
  from: Place,
): Promise<Place> {
  const only = 'stream' in of ? of.stream : null;
  let { position, own } = from;
  for (const { run_id, log, starts_at, bytes } of sources) {
    while (position < starts_at + bytes && !sink.isGone) {
      const parts = await readLog(db, run_id, log, position - starts_at);
      for (const { position: at, stream, start, data } of parts) {
        const missing = starts_at + at - position;
        position += missing + data.length;
        if (only !== null && stream !== only) continue;
        const left = only === null ? missing : start - (own ?? start);
        if (left > 0) await sink.write(gapLine(left));
        await sink.write(data);
        own = start + data.length;
      }
      // The rest of this run was dropped, or is written by a request that is not whole yet.
      if (parts.length === 0) break;
      if (follow) endAtLimit(db);
    }
  }
  return { position, own };
}

async function readTurn(db: Database, request: LogRequest): Promise<Turn> {
  return 'task_id' in request.of ? taskTurn(db, request, request.of.task_id) : runTurn(db, request, request.of);
}

const outputBytes = sql<number>`coalesce(CASE WHEN json_valid(${runs.log}) THEN ${runs.log} ->> '$.logs.output.position' END, 0)`;

async function taskTurn(db: Database, { mayRead }: LogRequest, taskId: string): Promise<Turn> {
  const [task, found] = await db.batch([
    db.select({ status: tasks.status, isAllowed: mayRead() }).from(tasks).where(eq(tasks.task_id, taskId)),
    db
      .select({ run_id: runs.run_id, bytes: outputBytes })
      .from(runs)
      .where(eq(runs.task_id, taskId))
      .orderBy(asc(runs.run_id)),
  ]);
  let starts_at = 0;
  const sources = found.map(({ run_id, bytes }) => {
    const source = { run_id, log: 'output' as const, starts_at, bytes };
    starts_at += bytes;
    return source;
  });
  const [row] = task;
  return {
    sources,
    isOpen: row !== undefined && !isEndedTask(row.status),
    isAllowed: row?.isAllowed === 1,
  };
}

async function runTurn(
  db: Database,
  { mayRead }: LogRequest,
  { run_id, log }: { run_id: string; log: RunLog },
): Promise<Turn> {
  const row = await db
    .select({
      deadline_at: runs.deadline_at,
      bytes: sql<number>`coalesce(CASE WHEN json_valid(${runs.log}) THEN ${runs.log} ->> ${`$.logs.${log}.position`} END, 0)`,
      isAllowed: mayRead(),
    })
    .from(runs)
    .where(eq(runs.run_id, run_id))
    .get();
  const source = { run_id, log, starts_at: 0, bytes: row?.bytes ?? 0 };
  // Only a live run has a deadline.
  return {
    sources: [source],
    isOpen: (row?.deadline_at ?? null) !== null,
    isAllowed: row?.isAllowed === 1,
  };
}
