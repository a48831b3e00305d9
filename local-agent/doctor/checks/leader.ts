/** Whether a node leads, this one is connected, and work may start. */
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
    if (lease.holder_id === null) {
      const drained = nodes.filter(({ draining }) => draining).map(({ controller_id }) => controller_id);
      findings.push({
        severity: 'warning',
        what: `no node leads${drained.length === 0 ? '' : `; drained by a person: ${drained.join(', ')}`}`,
        why: 'steps that any node may run wait, and no renewal is sent',
        advice: 'start an agent, or end the drain of a node; a node whose agent runs takes the lease within seconds',
        command:
          drained[0] === undefined
            ? (await world.startAgain()).command
            : world.command(`nodes drain ${drained[0]} --off`),
      });
    }
    const own = nodes.find(({ controller_id }) => controller_id === nodeId);
    if (world.resolved.system === 'running' && own?.presence.connected !== true) {
      findings.push({
        severity: 'warning',
        what:
          own === undefined
            ? `the edge does not know the node ${nodeId}`
            : `the edge has no channel to the node ${nodeId}`,
        why: 'the edge cannot notify it: commands and approvals reach it late',
        advice: `look for the reason in the newest agent.*.log in ${world.config.logsDir}; a proxy between them has to pass WebSockets`,
        command: world.command('status --local'),
      });
    }
    if (system.mode !== 'running') {
      findings.push({
        severity: 'note',
        what: `the system is ${system.mode}${system.requested_by === null ? '' : `, as ${system.requested_by} asked`}`,
        why: 'nothing new is claimed in this mode',
        // A chat may have said it, and `diagnostics` writes what is said here.
        advice: 'look at the reason with "conductor status", and resume it when it is meant to work',
        command: world.command('resume'),
      });
    }
    return outcomeOf(findings, `${lease.holder_id} leads, and the system runs`);
  },
};
