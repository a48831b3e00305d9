/** `ticks`: the log of the timed jobs, and one tick on request. */
import type { Tick } from '../../schema/contracts/ticks.ts';
import { TICK_DECISIONS, TICK_TRIGGERS, TickResponseSchema, TickSchema } from '../../schema/contracts/ticks.ts';
import { choiceOption, numberOption, valueOption } from '../config/flags.ts';
import type { CliCommand } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { listCommand } from './lists.ts';
import { moment, present } from './output.ts';

/** The first failure of the tick in words. */
function failureOf({ entries }: Tick): string | null {
  const failed = entries.find(({ error }) => error !== null);
  return failed === undefined ? null : `${failed.runner}: ${failed.error}`;
}

const list = listCommand({
  about: 'list ticks, newest first: what started each, what it decided, and what failed',
  examples: ['ticks list --limit 10', 'ticks list --decision failed --json'],
  path: '/v1/timed-jobs/ticks',
  item: TickSchema,
  filters: {
    decision: choiceOption('--decision <decision>', 'only ticks that decided that', TICK_DECISIONS),
    trigger: choiceOption('--trigger <trigger>', 'only ticks that were started by that', TICK_TRIGGERS),
    batch_id: valueOption('--batch <id>', 'only the tick with that batch id'),
    after: numberOption('--after <number>', 'ticks behind that number, oldest first'),
  },
  head: ['TICK', 'BATCH', 'TRIGGER', 'DECISION', 'STARTED', 'MS', 'FAILURE'],
  row: (one) => [
    one.tick_seq,
    one.batch_id,
    one.trigger,
    one.decision,
    moment(one.started_at),
    one.finished_at - one.started_at,
    failureOf(one),
  ],
  none: 'no tick has been logged yet, or none that the options select',
});

const FAILED = new Set<string>(['completed_with_failures', 'failed']);

const run: CliCommand = {
  name: 'run',
  about: 'run one tick now: timed jobs that are due, such as renewals',
  examples: ['ticks run'],
  options: edgeOptions,
  run: async (args, deps) => {
    const tick = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'POST', path: '/v1/timed-jobs/tick', body: {}, schema: TickResponseSchema }),
    );
    present(args, deps, tick, () => deps.print(`tick ${tick.batch_id}: ${tick.decision}`));
    return FAILED.has(tick.decision) ? EXIT.failed : EXIT.fine;
  },
};

export const ticks: readonly CliCommand[] = [list, run];
