/** Whether the Durable Objects respond, and agree with D1. */
import type { Check, Finding } from '../check.ts';
import { outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

/** What brings the newest version of the edge, which an object that a later one has written wants. */
async function theNewest(world: World): Promise<Pick<Finding, 'advice' | 'command'>> {
  const newest = 'it has to be of the newest version that you have used, or a newer one: update this program';
  if (!world.hasLocalEdge) return world.updateEdge({ local: '', deployed: `${newest} and deploy it`, updates: true });
  const { how } = await world.startAgain();
  return { advice: `${newest}, then ${how}`, command: world.updateLine };
}

export const objects: Check<World> = {
  id: 'objects',
  group: 'edge',
  title: 'Durable Objects',
  look: async (world) => {
    const { objects: all, fence } = await world.facts.health();
    const silent = all.flatMap(({ name, problem }) => (problem === null ? [] : [{ name, problem }]));
    const newest = await theNewest(world);
    const findings = silent.map(
      ({ name, problem }): Finding => ({
        code: 'object_silent',
        severity: 'error',
        what: `the Durable Object ${name} does not respond: ${problem}`,
        why: 'an object that a later version has written refuses an earlier one; what it decides does not happen',
        ...newest,
      }),
    );
    if (fence === null && findings.length === 0)
      throw new Skipped('the fences of database and objects could not be compared');
    if (fence?.is_behind === true) {
      const { d1, objects: own } = fence;
      findings.push({
        code: 'database_restored',
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
