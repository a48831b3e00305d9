/** Reads what waits for a person, and when no notice is shown. */
import { LeaseViewSchema } from '../../../schema/contracts/leader.ts';
import { NoticeHoursSchema } from '../../../schema/contracts/notices.ts';
import { WaitingSchema } from '../../../schema/contracts/waiting.ts';
import { callEdge } from '../api/client.ts';
import { WAITING_PATH } from '../api/waiting.ts';
import type { Look } from './what-waits.ts';
import { objectsOf, waitingObject } from './what-waits.ts';

/** No node led at the look before: the next one leads within seconds. */
let wasWithoutLeader = false;

export async function readWaiting(): Promise<Pick<Look, 'waiting' | 'isCut' | 'hours'>> {
  const [waiting, lease, hours] = await Promise.all([
    callEdge(WAITING_PATH, WaitingSchema),
    callEdge('/v1/leader', LeaseViewSchema),
    callEdge('/v1/notices/hours', NoticeHoursSchema),
  ]);
  const isWithoutLeader = lease.holder_id === null && lease.term > 0;
  const isNews = isWithoutLeader && wasWithoutLeader;
  wasWithoutLeader = isWithoutLeader;
  const leader = isNews ? [waitingObject('no_leader', 'leader', String(lease.term))] : [];
  return { waiting: [...objectsOf(waiting), ...leader], isCut: waiting.is_cut, hours };
}
