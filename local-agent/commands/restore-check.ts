/** `restore-check`: after a restore of the edge's database, quarantines the work that it wrongly shows as in flight. */
import { Option } from 'commander';
import type { RestoreCheckResponse } from '../../schema/contracts/system.ts';
import { RestoreCheckResponseSchema } from '../../schema/contracts/system.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { CliCommand } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { present } from './output.ts';

/** Calls the edge until nothing is left to quarantine; the counts are the sums over all calls. */
async function checkAll(edge: EdgeClient, force: boolean): Promise<RestoreCheckResponse> {
  const check = (body: { force?: boolean }) =>
    edge.call({ method: 'POST', path: '/v1/system/restore-check', body, schema: RestoreCheckResponseSchema });
  const first = await check(force ? { force } : {});
  const quarantined = { ...first.quarantined };
  let { more, summary } = first;
  while (more) {
    // The edge remembers an unfinished quarantine, so only the first call is forced.
    const next = await check({});
    quarantined.instructions += next.quarantined.instructions;
    quarantined.renewal_jobs += next.quarantined.renewal_jobs;
    quarantined.tasks += next.quarantined.tasks;
    quarantined.commands += next.quarantined.commands;
    ({ more, summary } = next);
  }
  return { ...first, quarantined, more, summary };
}

export const restoreCheck: CliCommand = {
  name: 'restore-check',
  about: 'after a restore of the database: quarantine what it wrongly shows as in flight',
  examples: ['restore-check'],
  options: [...edgeOptions, new Option('--force', 'quarantine even if the database does not look restored')],
  run: async (args, deps) => {
    const response = await withEdge(args, deps, (edge) => checkAll(edge, args.force === true));
    present(args, deps, response, () => {
      const { d1, objects, quarantined } = response;
      deps.print(`database: term ${d1.term}, mode version ${d1.mode_version}, epoch ${d1.epoch}`);
      deps.print(`objects:  term ${objects.term}, mode version ${objects.mode_version}, epoch ${objects.epoch}`);
      if (!response.restored) return deps.print(response.summary);
      const { instructions, renewal_jobs, tasks, commands } = quarantined;
      const counts = `${instructions} instructions, ${renewal_jobs} renewals, ${tasks} tasks, ${commands} commands`;
      deps.print(`quarantined: ${counts}`);
    });
    return EXIT.fine;
  },
};
