/** The system's state as the API shows it: the mode, who leads, and whether draining has come to its end. */
import { automationState, leaderLease } from '../../durable-objects/stubs.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { SystemState } from '../../schema/contracts/system.ts';
import type { Database } from '../db/open.ts';
import { nothingLeft } from './drained.ts';

export async function readSystem(
  env: Env,
  db: Database,
  now: number,
): Promise<{ system: SystemState; lease: LeaseView }> {
  const [record, lease, empty] = await Promise.all([
    automationState(env).read(),
    leaderLease(env).read(),
    nothingLeft(db, now),
  ]);
  const { epoch: _epoch, ...mode } = record;
  const { holder_id, lease_expires_at, term } = lease;
  return {
    system: { ...mode, holder_id, lease_expires_at, term, drained: mode.mode === 'draining' && empty },
    lease,
  };
}
