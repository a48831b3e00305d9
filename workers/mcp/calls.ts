/**
 * Stored calls. One call has one effect: the batch of the effect also stores the call, guarded by no other one having been
 * stored meanwhile (a named one by its unique key), so of the same call sent twice at once the second reads again and finds
 * the first.
 */
import canonicalize from 'canonicalize';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { MCP } from '../../schema/defaults.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import type { EarlierCall } from '../../schema/domain/mcp-call.ts';
import { repeatedCall } from '../../schema/domain/mcp-call.ts';
import { wellFormed } from '../../schema/domain/well-formed.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { McpCallRow } from '../../schema/tables/index.ts';
import { instructions, mcp_calls } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { Caller, McpCall } from './caller.ts';

/**
 * Unnamed writes alike that are looked at, the newest first. One that follows another sooner than `join_ms` joins it, so no
 * more of them fit into the time for which a JSON-RPC id counts.
 */
const MAX_ALIKE = 1 + MCP.request_id_ms / MCP.join_ms;

/** In the order of the index of calls alike, so that none but these are read. */
const NEWEST_FIRST = sql`mcp_calls.rowid DESC`;

/** What a call through a tool stores of itself. */
export type StoredCall = Pick<
  McpCallRow,
  'message_id' | 'instruction_id' | 'controller_id' | 'command_id' | 'response' | 'created_at'
>;

/** The outcome of a call, and whether an earlier one had it. */
export interface Once {
  stored: StoredCall;
  repeated: boolean;
}

/** What the effect of a call is: its plan, and what the stored call keeps of it. */
export interface Effect {
  plan: Plan;
  columns: Partial<McpCallRow> & Pick<McpCallRow, 'message_id'>;
  subject_id: string;
}

export function newCallId(now: number): string {
  return newId('message', now);
}

/** The call of the message with that id; undefined for a message of a chat. */
export function findCall(db: Database, messageId: string): Promise<McpCallRow | undefined> {
  return db.select().from(mcp_calls).where(eq(mcp_calls.message_id, messageId)).get();
}

/** Does the effect, or finds the call that this one repeats. Throws `conflict` for an operation id of another call. */
export async function once(caller: Caller, readOnly: boolean, effect: () => Promise<Effect>): Promise<Once> {
  const call_hash = await hashOf(caller.call);
  return await caller.commit(async () => {
    const { operation_id, request_id } = caller.call;
    // Doing an unnamed one again that only reads does no harm, and its result may have changed since.
    const mayRepeat = !readOnly || operation_id !== null;
    const earlier = mayRepeat ? await readEarlier(caller, call_hash) : [];
    const found = repeatedCall(earlier, { operation_id, request_id, call_hash, now: caller.now });
    if (found === 'conflict') {
      throw new AppError('conflict', '_meta.operation_id: it was used for another call; a new call takes a new one', {
        details: { field: '_meta.operation_id' },
      });
    }
    if (found !== null) return { audited: false, response: { stored: found, repeated: true } };
    return first(caller, { call_hash, guarded: !readOnly && operation_id === null }, earlier, await effect());
  });
}

function first(
  { db, now, principal, call }: Caller,
  { call_hash, guarded }: { call_hash: string; guarded: boolean },
  earlier: readonly EarlierRow[],
  { plan, columns, subject_id }: Effect,
): WritePlan<Once> {
  const { token_id, subject } = principal;
  const { tool: mcp_tool, operation_id, request_id } = call;
  const row = {
    params: {},
    instruction_id: null,
    controller_id: null,
    command_id: null,
    response: null,
    ...columns,
    token_id,
    subject,
    operation_id,
    request_id,
    call_hash,
    mcp_tool,
    created_at: now,
  };
  const stored: Plan = {
    guards: guarded ? [guardNewest(db, { token_id, call_hash }, earlier)] : [],
    statements: [db.insert(mcp_calls).values(row)],
  };
  return { ...mergePlans(stored, plan), subject_id, response: { stored: row, repeated: false } };
}

/** Two calls are the same when tool and arguments are. */
async function hashOf({ tool, args }: McpCall): Promise<string> {
  return sha256Hex(canonicalize([tool, wellFormed(args)]) ?? '');
}

type EarlierRow = StoredCall & EarlierCall;

/** The call with the operation id; of a call without one, the newest of those alike that have none either. */
async function readEarlier({ db, principal, call }: Caller, callHash: string): Promise<EarlierRow[]> {
  const columns = {
    message_id: mcp_calls.message_id,
    instruction_id: mcp_calls.instruction_id,
    controller_id: mcp_calls.controller_id,
    command_id: mcp_calls.command_id,
    response: mcp_calls.response,
    request_id: mcp_calls.request_id,
    call_hash: mcp_calls.call_hash,
    created_at: mcp_calls.created_at,
    ended_at: mcp_calls.ended_at,
    status: instructions.status,
    finished_at: instructions.finished_at,
    updated_at: instructions.updated_at,
  };
  const { operation_id } = call;
  const same =
    operation_id === null
      ? and(eq(mcp_calls.call_hash, callHash), isNull(mcp_calls.operation_id))
      : eq(mcp_calls.operation_id, operation_id);
  const rows = await db
    .select(columns)
    .from(mcp_calls)
    .leftJoin(instructions, eq(instructions.instruction_id, mcp_calls.instruction_id))
    .where(and(eq(mcp_calls.token_id, principal.token_id), same))
    .orderBy(NEWEST_FIRST)
    .limit(MAX_ALIKE);
  return rows.map(({ finished_at, updated_at, ...row }) => ({
    ...row,
    stopped_at: row.status === null ? null : stoppedAt(row.status, finished_at, updated_at),
  }));
}

function stoppedAt(status: InstructionState, finishedAt: number | null, updatedAt: number | null): number | null {
  return isOpenStatus(status) ? null : (finishedAt ?? updatedAt);
}

/** No unnamed call alike may have been stored since they were read. */
function guardNewest(
  db: Database,
  { token_id, call_hash }: { token_id: string; call_hash: string },
  earlier: readonly EarlierRow[],
): Statement {
  const newest = earlier[0]?.message_id ?? null;
  return guardThat(
    db,
    sql`(SELECT message_id FROM mcp_calls WHERE token_id = ${token_id} AND call_hash = ${call_hash}
      AND operation_id IS NULL ORDER BY ${NEWEST_FIRST} LIMIT 1) IS ${newest}`,
  );
}
