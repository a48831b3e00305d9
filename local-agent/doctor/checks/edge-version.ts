/** Whether edge and program are of one version. */
import { API_LEVEL } from '../../../schema/contracts/common.ts';
import { EdgeError } from '../../edge/http-client.ts';
import { isOlderVersion } from '../../lib/version.ts';
import type { Check, Finding, Outcome } from '../check.ts';
import { found, Skipped } from '../check.ts';
import type { World } from '../world.ts';

const NOT_FOUND = 404;

async function olderEdge(world: World, what: string): Promise<Finding> {
  return {
    code: 'edge_older',
    severity: 'warning',
    what: `the edge is older than this program: ${what}`,
    why: 'programs ask for what an older edge does not have; the edge is updated first, then agents and command lines',
    ...(await world.updateEdge({ local: 'its edge is then of this version', deployed: 'update the edge' })),
  };
}

async function olderProgram(world: World, what: string): Promise<Finding> {
  const { how } = await world.startAgain();
  return {
    code: 'program_older',
    severity: 'warning',
    what: `this program is older than the edge: ${what}`,
    why: 'an edge serves programs of the version before, but not for ever',
    advice: `update this program, then ${how}`,
    command: world.updateLine,
  };
}

export const edgeVersion: Check<World> = {
  id: 'edge-version',
  group: 'edge',
  title: 'Version of the edge',
  look: async (world): Promise<Outcome> => {
    const contact = await world.facts.edgeContact();
    if ('reason' in contact) throw new Skipped('the edge cannot be reached');
    const { level } = contact;
    if (level === null || level < API_LEVEL) {
      return found(await olderEdge(world, `its API has level ${level ?? 'none'}, and this program wants ${API_LEVEL}`));
    }
    if (level > API_LEVEL)
      return found(await olderProgram(world, `the API has level ${level}, and this program knows ${API_LEVEL}`));
    try {
      const { version } = await world.facts.health();
      const own = world.sources.version;
      if (version === own) return { state: 'ok', note: `${version}, as this program` };
      const what = `the edge has version ${version}, this program ${own}`;
      const finding = isOlderVersion(version, own) ? await olderEdge(world, '') : await olderProgram(world, '');
      return found({ ...finding, severity: 'note', what });
    } catch (error) {
      if (error instanceof EdgeError && error.status === NOT_FOUND) {
        return found(await olderEdge(world, 'it has no /v1/system/health'));
      }
      throw error;
    }
  },
};
