/** Resources of MCP: the tools in words, the journal of an instruction, and the log of a run. */
import { UriTemplate } from '@modelcontextprotocol/server';
import { and, desc, eq } from 'drizzle-orm';
import { idSchema } from '../../schema/contracts/common.ts';
import { RunIdSchema } from '../../schema/contracts/runs.ts';
import { AppError } from '../../schema/errors.ts';
import { run_logs } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { instructionDetail } from '../instructions/instruction-reads.ts';
import { findRun } from '../tasks/task-reads.ts';
import type { Caller } from './caller.ts';
import { toolLines } from './registry.ts';

const TOOLS_URI = 'conductor://tools';
const JOURNAL = new UriTemplate('conductor://journal/{instruction_id}');
const RUN_LOG = new UriTemplate('conductor://runs/{run_id}/log');
const TEMPLATES = [
  {
    uriTemplate: String(JOURNAL),
    name: 'journal',
    description: 'The journal entries of an instruction, oldest first, as JSON.',
    mimeType: 'text/plain',
  },
  {
    uriTemplate: String(RUN_LOG),
    name: 'run log',
    description: 'The end of what a run has printed.',
    mimeType: 'text/plain',
  },
];
/** Of a log: its last rows, each of a bounded size. */
const MAX_LOG_ROWS = 8;

export function listedResources() {
  const description = 'The tools that this caller may call, a line each.';
  return [{ uri: TOOLS_URI, name: 'tools', description, mimeType: 'text/plain' }];
}

export function resourceTemplates() {
  return TEMPLATES;
}

/** The text of a resource; null when there is none at that address. */
export async function readResource(
  session: Pick<Caller, 'db' | 'now' | 'principal'>,
  uri: string,
): Promise<string | null> {
  if (uri === TOOLS_URI) return toolLines(session.principal.role).join('\n');
  const instruction = JOURNAL.match(uri);
  if (instruction !== null) return await journalOf(session, String(instruction.instruction_id));
  const run = RUN_LOG.match(uri);
  return run === null ? null : await endOfLog(session.db, String(run.run_id));
}

async function journalOf(session: Pick<Caller, 'db' | 'now'>, id: string): Promise<string | null> {
  if (!idSchema('ins').safeParse(id).success) return null;
  try {
    const { events } = await instructionDetail(session, id);
    return JSON.stringify(events, null, 2);
  } catch (error) {
    if (error instanceof AppError && error.code === 'instruction_not_found') return null;
    throw error;
  }
}

/** The last rows of what the run's program has printed; null when there is no such run. */
async function endOfLog(db: Database, id: string): Promise<string | null> {
  if (!RunIdSchema.safeParse(id).success) return null;
  const rows = await db
    .select({ data: run_logs.data })
    .from(run_logs)
    .where(and(eq(run_logs.run_id, id), eq(run_logs.log, 'output')))
    .orderBy(desc(run_logs.position))
    .limit(MAX_LOG_ROWS);
  if (rows.length === 0 && (await findRun(db, id)) === undefined) return null;
  const decoder = new TextDecoder();
  return rows
    .toReversed()
    .map(({ data }) => decoder.decode(Uint8Array.fromBase64(data), { stream: true }))
    .join('');
}
