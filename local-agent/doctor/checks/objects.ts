/** Whether the Durable Objects respond, and agree with D1. */
import type { Check, Finding } from '../check.ts';
import { outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

export const objects: Check<World> = {
  id: 'objects',
  group: 'edge',
  title: 'Durable Objects',
  look: async (world) => {
    const { objects: all, fence } = await world.facts.health();
    const newest = 'deploy the newest version of the edge that you have used, or a newer one';
    const update = await world.updateEdge({
      local: 'a start runs this version; it has to be the newest that you have used, or a newer one',
      deployed: newest,
    });
    const findings: Finding[] = all.flatMap(({ name, problem }) =>
      problem === null
        ? []
        : [
            {
              severity: 'error',
              what: `the Durable Object ${name} does not respond: ${problem}`,
              why: 'an object that a later version has written refuses an earlier one; what it decides does not happen',
              ...update,
            },
          ],
    );
    if (fence === null && findings.length === 0)
      throw new Skipped('the fences of database and objects could not be compared');
    if (fence?.is_behind === true) {
      const { d1, objects: own } = fence;
      findings.push({
        severity: 'error',
        what: `the database is behind its objects: term ${d1.term} and ${own.term}, mode version ${d1.mode_version} and ${own.mode_version}, epoch ${d1.epoch} and ${own.epoch}`,
        why: 'it was restored to an earlier point, so work that it shows as in flight may have ended, and could run a second time',
        advice: 'let the edge quarantine that work; docs/coordination.md explains it',
        command: world.command('restore-check'),
      });
    }
    return outcomeOf(findings, `${all.length} respond, and the database agrees with them`);
  },
};
