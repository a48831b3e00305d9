/**
 * `counters`: counts what commits have announced since the last tick. Position and counters are one row, so each commit is
 * counted once. A run counts the commits of one hour; what is left makes the next tick due at once.
 */
import { addCounts } from '../../schema/domain/counters.ts';
import { hourOf, storeCounts } from '../db/counters.ts';
import { runBatch } from '../db/open.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { readUncounted } from './counters.ts';

export const counters: Runner = {
  name: 'counters',
  ordinary: false,
  // Nothing waits for the counters, so no room is kept for them: a tick without room leaves them to the next one.
  queries: { base: 0, each: 2 },
  async run({ db, hasRoom }) {
    if (!hasRoom()) return MORE;
    const { hour: newest, event_seq, commits, isFull } = await readUncounted(db);
    const [first] = commits;
    if (first === undefined) return 'idle';
    const targetOf = ({ at }: { at: number }) => Math.max(newest, hourOf(at));
    const later = commits.findIndex((commit) => targetOf(commit) !== targetOf(first));
    const counted = later === -1 ? commits : commits.slice(0, later);
    const events = { after: event_seq, to: counted.at(-1)?.seq ?? event_seq };
    const counts = addCounts(...counted.map((commit) => commit.counts));
    await runBatch(db, [storeCounts(db, targetOf(first), counts, events)]);
    return isFull || counted.length < commits.length ? MORE : 'ok';
  },
};
