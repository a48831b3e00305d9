/** Whether a node leads, this one is connected, and work may start. */
import type { Status } from '../../../schema/contracts/status.ts';
import { shellWord } from '../../lib/printed-command.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

export const leader: Check<World> = {
  id: 'leader',
  group: 'edge',
  title: 'Leader and mode',
  look: async (world) => {
    const { lease, system, nodes } = await world.facts.status();
    const { nodeId } = world.config;
    const findings: Finding[] = [];
    if (lease.holder_id === null) findings.push(await noLeader(world, nodes));
    const own = nodes.find(({ controller_id }) => controller_id === nodeId);
    if (world.resolved.system === 'running' && own?.presence.connected !== true) {
      findings.push({
        code: 'no_channel',
        severity: 'warning',
        what:
          own === undefined
            ? `the edge does not know the node ${nodeId}`
            : `the edge has no channel to the node ${nodeId}`,
        why: 'the edge cannot notify it: commands and approvals reach it late',
        advice:
          'when Agent and Token of the node are fine, the log of the agent says why; a proxy between them has to pass WebSockets',
        command: world.command('logs agent'),
      });
    }
    if (system.mode !== 'running') {
      findings.push({
        code: 'not_running',
        severity: 'note',
        what: `the system is ${system.mode}${system.requested_by === null ? '' : `, as ${system.requested_by} asked`}`,
        why: 'nothing new is claimed in this mode',
        // A chat may have said it, and `diagnostics` writes what is said here.
        advice: `look at the reason with "${world.command('status')}", and resume it when it is meant to work`,
        command: world.command('resume'),
      });
    }
    return outcomeOf(findings, `${lease.holder_id} leads, and the system runs`);
  },
};

async function noLeader(world: World, nodes: Status['nodes']): Promise<Finding> {
  const drained = nodes.filter(({ draining }) => draining).map(({ controller_id }) => controller_id);
  const [first] = drained;
  const common = {
    code: 'no_leader',
    severity: 'warning',
    why: 'steps that any node may run wait, and no renewal is sent',
  } as const;
  if (first === undefined) {
    const { how, command } = await world.startAgain();
    const advice = `${how}: a node whose agent runs takes the lease within seconds`;
    return { ...common, what: 'no node leads', advice, command };
  }
  return {
    ...common,
    what: `no node leads; drained by a person: ${drained.join(', ')}`,
    advice: 'end the drain of one whose agent runs: it takes the lease within seconds',
    command: world.command(`nodes drain ${shellWord(first)} --off`),
  };
}
