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

/** A tick ends what is past its deadline, so no tick runs. */
const NO_TICKS = 'each tick of the timed jobs ends what is past its deadline, so no tick runs, or its jobs fail';
/** No tick ends it: the row was changed by hand, or by a fault of the edge. */
const NO_DEADLINE: Pick<Finding, 'why' | 'advice'> = {
  why: 'it stays as it is for ever, and its conversation or task waits for it',
  advice:
    'quarantine what is in flight: instructions that run end as interrupted, renewals and tasks as failed, all of them, not this one alone; a person can submit, redrive or retry each',
};

/** What makes ticks again. */
async function ticksAgain(world: World): Promise<Pick<Finding, 'why' | 'advice' | 'command'>> {
  const list = `"${world.command('ticks list')}" shows the ticks and their errors`;
  if (!world.hasLocalEdge) {
    const deployed = `the Worker needs its Cron Trigger, which a deploy sets; ${list}`;
    return { why: NO_TICKS, ...(await world.updateEdge({ local: '', deployed })) };
  }
  const { how, command } = await world.startAgain();
  return { why: NO_TICKS, advice: `a local system makes a tick each minute: ${how}; ${list}`, command };
}

async function findingOf(world: World, { kind, id, status, deadline_at }: Overdue): Promise<Finding> {
  const what = `${NAMES[kind]} ${id} (${status})`;
  if (deadline_at === null) {
    const command = world.command('restore-check --force');
    return { code: 'deadline_missing', severity: 'error', what: `${what} has no deadline`, ...NO_DEADLINE, command };
  }
  return {
    code: 'deadline_passed',
    severity: 'error',
    what: `${what} should have ended at ${new Date(deadline_at).toISOString()}`,
    ...(await ticksAgain(world)),
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
      await Promise.all(overdue.map((one) => findingOf(world, one))),
      'everything that runs or is claimed has a live deadline',
    );
  },
};
