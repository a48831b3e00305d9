/** What the edge has refused, so that it never gets it. */
import { join } from 'node:path';
import { AGENT_DATABASE } from '../../config/root-files.ts';
import type { RefusedRequest } from '../../store/read-refused.ts';
import type { Check } from '../check.ts';
import { outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

async function refusedRequests(world: World): Promise<RefusedRequest[]> {
  try {
    return (await world.facts.agent()).outbox.refused;
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
  }
  const path = join(world.config.stateDir, AGENT_DATABASE);
  if (world.machine.modeOf(path) === null) throw new Skipped('no agent has run in this root');
  return world.machine.readRefused(path);
}

export const outbox: Check<World> = {
  id: 'outbox',
  group: 'system',
  title: 'Outbox',
  look: async (world) => {
    const refused = await refusedRequests(world);
    const findings = refused.map(({ kind, path, refusal: { status, code, message } }) => ({
      code: 'request_refused' as const,
      severity: 'warning' as const,
      what: `the edge refused a request of this node: ${kind} to ${path}: ${code} (${status}): ${message}`,
      why: 'the agent keeps it for you and does not send it again; what it reports is missing at the edge',
      advice:
        'read the reason: an edge that is older than the agent has to be updated; an object that was removed needs nothing. Then let the agent forget these requests:',
      command: world.command('doctor --forget-refused'),
    }));
    return outcomeOf(findings, 'the edge has refused nothing of this node');
  },
};
