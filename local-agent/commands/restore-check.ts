/** `restore-check`: after the edge's database was restored to an earlier point, end what it takes for in flight. */
import type { RestoreCheckResponse } from '../../schema/contracts/system.ts';
import { RestoreCheckResponseSchema } from '../../schema/contracts/system.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { edgeArgs, withEdge } from './edge-access.ts';
import { present } from './output.ts';
import type { Verb } from './verb.ts';
import { EXIT } from './verb.ts';

/** Asks until there is no more; the counts are those of all calls. */
async function checkAll(edge: EdgeClient, force: boolean): Promise<RestoreCheckResponse> {
  const check = (body: { force?: boolean }) =>
    edge.call({ method: 'POST', path: '/v1/system/restore-check', body, schema: RestoreCheckResponseSchema });
  const first = await check(force ? { force } : {});
  const quarantined = { ...first.quarantined };
  let { more, summary } = first;
  while (more) {
    // Not forced again: what is owed is known from here on.
    const next = await check({});
    quarantined.instructions += next.quarantined.instructions;
    quarantined.renewal_jobs += next.quarantined.renewal_jobs;
    quarantined.commands += next.quarantined.commands;
    ({ more, summary } = next);
  }
  return { ...first, quarantined, more, summary };
}

export const restoreCheck: Verb = {
  name: 'restore-check',
  about: 'after a restore of the database: end what it takes for in flight',
  args: {
    ...edgeArgs,
    force: { type: 'boolean', description: 'it was restored, even if its numbers do not tell' },
  },
  run: async (args, deps) => {
    const answer = await withEdge(args, deps, (edge) => checkAll(edge, args.force === true));
    present(args, deps, answer, () => {
      const { d1, objects, quarantined } = answer;
      deps.print(`database: term ${d1.term}, mode version ${d1.mode_version}, epoch ${d1.epoch}`);
      deps.print(`objects:  term ${objects.term}, mode version ${objects.mode_version}, epoch ${objects.epoch}`);
      if (!answer.restored) return deps.print(answer.summary);
      const { instructions, renewal_jobs, commands } = quarantined;
      deps.print(`quarantined: ${instructions} instructions, ${renewal_jobs} renewals, ${commands} commands`);
    });
    return EXIT.fine;
  },
};
