/**
 * `notices`: looks for what has begun to wait for a person, and for notices whose next try is due, and sends them. The
 * requests run beside the tick, so that a receiver that does not respond holds up nothing.
 */
import { leaderLease } from '../../durable-objects/stubs.ts';
import type { OpenNotice, Waiting } from '../../schema/domain/person-notice.ts';
import { decideNotices, LEADER_OBJECT } from '../../schema/domain/person-notice.ts';
import { newId } from '../../schema/ids.ts';
import { runBestEffort } from '../log.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { notifyNodes } from './deadlines.ts';
import { look } from './look-reads.ts';
import { sendNotices } from './send.ts';
import { storeLook } from './store.ts';

export const notices: Runner = {
  name: 'notices',
  ordinary: false,
  // The look is one statement, what it decides three, the outcome of the tries three. In a tick without room for all, the
  // next tick looks.
  queries: { base: 0, each: 7 },
  async run(context) {
    if (!context.hasRoom()) return MORE;
    const { env, db, now } = context;
    const seen = await look(db, now);
    if (seen === null) return 'idle';
    const facts = withLeader(seen, (await leaderLease(env).read()).holder_id !== null, now);
    const decision = decideNotices({ ...facts, hours: seen.settings, now }, () => newId('notice', now));
    const { begun, changed } = decision;
    if (begun.length + changed.length === 0) return 'idle';
    const { tried, moved } = await storeLook(db, decision, now);
    const mine = [...changed, ...begun].filter(({ notice_id }) => tried.has(notice_id));
    context.defer(
      runBestEffort('notices', async () => {
        await notifyNodes(env, moved);
        if (mine.length > 0) await sendNotices({ env, db, now }, seen.settings, mine);
      }),
    );
    return 'ok';
  },
};

/** Who leads is known to LeaderLease alone. */
function withLeader(
  { waiting, open }: { waiting: Waiting[]; open: OpenNotice[] },
  isLed: boolean,
  now: number,
): { waiting: Waiting[]; open: OpenNotice[] } {
  const isLeader = ({ cause }: Waiting) => cause === 'no_leader';
  const begins = !isLed && !open.some(isLeader);
  return {
    waiting: begins ? [...waiting, { cause: 'no_leader', object_id: LEADER_OBJECT, part: '', since: now }] : waiting,
    open: open.map((one) => (isLeader(one) ? { ...one, waits: !isLed } : one)),
  };
}
