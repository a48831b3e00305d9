/**
 * Writes of the leader lease over HTTP. The LeaderLease object decides; when the holder changes, the object itself
 * notifies the nodes and the timed jobs, as it does for renewals over a channel.
 */
import { leaderLease } from '../../durable-objects/stubs.ts';
import type {
  LeaderAcquireBody,
  LeaderAcquireResponse,
  LeaderReleaseBody,
  LeaderReleaseResponse,
} from '../../schema/contracts/leader.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { fenceLag } from './fence-lag.ts';

/** Acquires or renews. Throws `database_unavailable` when D1's fence could not be raised. */
export async function acquireLease({ env }: Edge, body: LeaderAcquireBody): Promise<WritePlan<LeaderAcquireResponse>> {
  const outcome = await leaderLease(env).acquire(body);
  if (outcome.status === 'fence_lag') throw fenceLag();
  const { response } = outcome;
  const { is_leader, operation, term, holder_host } = response;
  const { controller_id: subject_id } = body;
  const isNewTerm = is_leader && operation === 'acquire';
  return {
    events: isNewTerm ? [{ topic: 'leader', type: 'acquired', subject_id, data: { term, host: holder_host } }] : [],
    subject_id,
    audited: is_leader,
    response,
  };
}

export async function releaseLease({ env }: Edge, body: LeaderReleaseBody): Promise<WritePlan<LeaderReleaseResponse>> {
  const response = await leaderLease(env).release(body);
  const { controller_id: subject_id, term } = body;
  return {
    events: response.released ? [{ topic: 'leader', type: 'released', subject_id, data: { term } }] : [],
    subject_id,
    audited: response.released,
    response,
  };
}
