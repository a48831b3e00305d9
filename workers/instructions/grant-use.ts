/**
 * How a grant lets an instruction run. The response to the description of what an instruction asks offers its node a grant
 * that may cover it. The node judges: its policy has to say `ask`, and the folder has to be the granted one as it is there.
 * Its request is then a person's approval made ahead: claimed under the same gates, bound to the same hash, and counted in
 * the same batch. In every other case the instruction keeps waiting for a person; so it does with a node that knows no grants.
 */
import { and, desc, eq, sql } from 'drizzle-orm';
import type { Grant, GrantUseBody, GrantUseResponse, OfferedGrant } from '../../schema/contracts/grants.ts';
import type { Approval, ClaimedInstruction, InstructionInput } from '../../schema/contracts/instructions.ts';
import { callName } from '../../schema/contracts/tools.ts';
import { GRANTS } from '../../schema/defaults.ts';
import type { GrantedCalls } from '../../schema/domain/grant.ts';
import { grantableArgv, grantCovers, grantEnd } from '../../schema/domain/grant.ts';
import { makeExactLine } from '../../schema/domain/visible.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import { grants } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import { guardThat } from '../db/guards.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { closedGate, planApproval } from './approve.ts';
import { grantEvent, isUsable } from './grants.ts';
import type { LoadedInstruction } from './load.ts';
import { loadInstruction } from './load.ts';

/** An instruction that its node has just described. */
export interface Described extends Pick<InstructionInput, 'target' | 'tool' | 'params'> {
  instruction_id: string;
  approval: Approval | null | undefined;
  /** The grant that it has used before. */
  grant_id?: string | null;
}

type Owner = Pick<Grant, 'local_conversation_id' | 'controller_id'>;

/** Whether the grant covers what the node has described; folders are compared as they are shown. */
function covers(grant: GrantedCalls, { target, tool, params, approval }: Described): boolean {
  const folder = makeExactLine(grant.folder);
  return grantCovers({ ...grant, folder }, { name: callName(target, tool), params, folder: approval?.cwd ?? null });
}

/** By instruction, the grant that its node is to judge. Reads nothing unless a grant could cover one of them. */
export async function offeredGrants(
  { db, now }: Pick<Edge, 'db' | 'now'>,
  { local_conversation_id, controller_id }: Owner,
  described: readonly Described[],
): Promise<ReadonlyMap<string, OfferedGrant>> {
  const coverable = described.filter(
    ({ target, tool, params, approval, grant_id = null }) =>
      approval != null && grant_id === null && grantableArgv(callName(target, tool), params) !== null,
  );
  if (coverable.length === 0) return new Map();
  const usable = await db
    .select({
      grant_id: grants.grant_id,
      argv: grants.argv,
      further_items: grants.further_items,
      folder: grants.folder,
    })
    .from(grants)
    .where(
      and(
        eq(grants.local_conversation_id, local_conversation_id),
        eq(grants.controller_id, controller_id),
        isUsable(now),
      ),
    )
    .orderBy(desc(grants.expires_at))
    .limit(GRANTS.max_per_conversation);
  const offers = coverable.flatMap((one) => {
    const grant = usable.find((each) => covers(each, one));
    if (grant === undefined || one.approval == null) return [];
    return [[one.instruction_id, { ...grant, approval_hash: one.approval.approval_hash }] as const];
  });
  return new Map(offers);
}

/** The instructions of a response, with what is offered. */
export function withOffers<T extends ClaimedInstruction>(
  all: readonly T[],
  offers: ReadonlyMap<string, OfferedGrant>,
): T[] {
  return all.map((one) => {
    const grant = offers.get(one.instruction_id);
    return grant === undefined ? one : { ...one, grant };
  });
}

/** `POST /v1/instructions/:id/use-grant`. Throws `instruction_not_found` and `not_owner`; a refusal changes nothing. */
export async function useGrant(
  edge: Edge,
  instruction_id: string,
  { controller_id, grant_id, approval_hash }: GrantUseBody,
): Promise<WritePlan<GrantUseResponse>> {
  const { db, now } = edge;
  const loaded = await loadInstruction(edge, instruction_id);
  requireOwn(controller_id, loaded.row);
  const grant = await db.select().from(grants).where(eq(grants.grant_id, grant_id)).get();
  if (grant === undefined || !isOwn(grant, loaded.row)) {
    return { audited: false, response: { instruction_id, used: false, refusal: 'unknown' } };
  }
  const refusal = grantEnd(grant, now) ?? refusalOf(loaded, grant, approval_hash);
  if (refusal !== null) return { audited: false, response: { instruction_id, used: false, refusal } };
  const { plan } = planApproval(edge, loaded, {
    detail: { by: grant.created_by, grant_id },
    controller_id,
    columns: new Map([[instruction_id, { grant_id }]]),
  });
  return {
    ...mergePlans(countUse(edge, grant, instruction_id), plan),
    subject_id: instruction_id,
    response: { instruction_id, used: true, refusal: null },
  };
}

function isOwn(grant: Owner, row: InstructionRow): boolean {
  return grant.local_conversation_id === row.local_conversation_id && grant.controller_id === row.controller_id;
}

/** Why the grant does not let it run now; null when it does. */
function refusalOf(loaded: LoadedInstruction, grant: GrantedCalls, approvalHash: string): GrantUseResponse['refusal'] {
  const { row } = loaded;
  if (row.status !== 'awaiting_approval' || row.approval?.approval_hash !== approvalHash) return 'not_asked';
  if (row.grant_id !== null) return 'used_before';
  if (!covers(grant, row)) return 'not_covered';
  return closedGate(loaded) === null ? null : 'gated';
}

/** Counted once for an instruction, and never beyond the limit: the guard looks again as the batch is written. */
function countUse({ db, now }: Edge, grant: Grant, instructionId: string): Plan {
  const { grant_id, uses } = grant;
  const isOf = eq(grants.grant_id, grant_id);
  return {
    guards: [
      guardThat(
        db,
        sql`EXISTS (SELECT 1 FROM ${grants} WHERE ${isOf} AND ${isUsable(now)})
          AND EXISTS (SELECT 1 FROM instructions WHERE instruction_id = ${instructionId} AND grant_id IS NULL)`,
      ),
    ],
    statements: [
      db
        .update(grants)
        .set({ uses: sql`${grants.uses} + 1` })
        .where(isOf),
    ],
    events: [grantEvent('used', grant, { instruction_id: instructionId, uses: uses + 1 })],
  };
}
