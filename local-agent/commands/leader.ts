/** `leader`: which node leads now, and the terms before. */
import { LeaderTermSchema, LeaseViewSchema } from '../../schema/contracts/leader.ts';
import type { CliCommand } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { listCommand } from './lists.ts';
import { moment, present, printFields } from './output.ts';

const show: CliCommand = {
  name: 'show',
  about: 'show which node leads, with what term, and for how long',
  examples: ['leader show'],
  options: edgeOptions,
  run: async (args, deps) => {
    const lease = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'GET', path: '/v1/leader', schema: LeaseViewSchema }),
    );
    present(args, deps, lease, () =>
      printFields(deps, {
        leader: lease.holder_id,
        host: lease.holder_host,
        preferred: lease.holder_preferred ? 'yes' : 'no',
        term: lease.term,
        renewed: moment(lease.renewed_at),
        'lease ends': moment(lease.lease_expires_at),
        'yields to': lease.preferred_holder_id,
      }),
    );
    return EXIT.fine;
  },
};

const terms = listCommand({
  name: 'terms',
  about: 'list the terms of the leaders, newest first',
  examples: ['leader terms --limit 10'],
  path: '/v1/leader/terms',
  item: LeaderTermSchema,
  filters: {},
  head: ['TERM', 'NODE', 'HOST', 'SINCE'],
  row: (one) => [one.term, one.holder_id, one.holder_host, moment(one.acquired_at)],
  none: 'no node has led yet',
});

export const leader: readonly CliCommand[] = [show, terms];
