/** What has no live deadline any more: no job of a tick has ended it, though it should have. */
import type { Overdue } from '../../../schema/contracts/health.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

const NAMES: Readonly<Record<Overdue['kind'], string>> = {
  instruction: 'the instruction',
  approval: 'the approval of the instruction',
  reply: 'the reply to the message',
  renewal_job: 'the renewal job',
  run: 'the run',
  command: 'the command',
};
/** What ends it by hand; a tick ends the others. */
const ENDS: Readonly<Partial<Record<Overdue['kind'], string>>> = {
  instruction: 'instructions cancel',
  approval: 'instructions deny',
  renewal_job: 'jobs cancel',
  run: 'runs show',
};

function findingOf(world: World, { kind, id, status, deadline_at }: Overdue): Finding {
  const since =
    deadline_at === null ? 'has no deadline' : `should have ended at ${new Date(deadline_at).toISOString()}`;
  const ends = ENDS[kind];
  return {
    severity: 'error',
    what: `${NAMES[kind]} ${id} (${status}) ${since}`,
    why: 'each tick of the timed jobs ends what is past its deadline, so either no tick runs, or this row was changed by hand',
    advice: world.hasLocalEdge
      ? 'look whether ticks run (the status page lists them); the clock of npm start makes one each minute. End the row by hand if it stays'
      : 'look whether ticks run: the Worker needs its Cron Trigger (wrangler.toml). End the row by hand if it stays',
    command: ends === undefined ? null : world.command(`${ends} ${id}`),
  };
}

export const deadlines: Check<World> = {
  id: 'deadlines',
  group: 'edge',
  title: 'Deadlines',
  look: async (world) => {
    const { overdue } = await world.facts.health();
    if (overdue === null) throw new Skipped('the database does not say what is overdue');
    return outcomeOf(
      overdue.map((one) => findingOf(world, one)),
      'everything that runs or is claimed has a live deadline',
    );
  },
};
