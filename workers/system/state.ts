/** The system's state as the API returns it: the mode, who leads, and whether draining has finished. */
import { automationState, leaderLease } from '../../durable-objects/stubs.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { SystemState } from '../../schema/contracts/system.ts';
import type { Edge } from '../db/plan.ts';
import { isDrained } from './drained.ts';

export async function readSystem({ env, db, now }: Edge): Promise<{ system: SystemState; lease: LeaseView }> {
  const [record, lease, drained] = await Promise.all([
    automationState(env).read(),
    leaderLease(env).read(),
    isDrained(db, now),
  ]);
  const { epoch: _epoch, ...mode } = record;
  const { holder_id, lease_expires_at, term } = lease;
  return {
    system: { ...mode, holder_id, lease_expires_at, term, drained: mode.mode === 'draining' && drained },
    lease,
  };
}
