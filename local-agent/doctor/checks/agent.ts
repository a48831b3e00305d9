/** Whether the agent responds. Its port takes connections also while it hangs, so only a response counts. */
import type { Check, Finding } from '../check.ts';
import { found, Skipped } from '../check.ts';
import { HUNG_MS } from '../facts.ts';
import type { World } from '../world.ts';

const UNANSWERED = 'browsers get no reply, and its runs end at their deadline';

export const agent: Check<World> = {
  id: 'agent',
  group: 'system',
  title: 'Agent',
  look: async (world) => {
    const { config, resolved } = world;
    if (resolved.system !== 'running') throw new Skipped('the system of this root does not run');
    const contact = await world.facts.agentContact();
    if (!('reason' in contact)) {
      const { identity } = await world.facts.agent();
      return { state: 'ok', note: `process ${identity.pid} responds at ${config.localApi}` };
    }
    const listener = await world.machine.listenerOf(Number(new URL(config.localApi ?? '').port));
    return found(listener === null ? await gone(world) : await hung(world, listener.pid));
  },
};

async function gone(world: World): Promise<Finding> {
  const { how } = await world.startAgain();
  return {
    code: 'agent_gone',
    severity: 'error',
    what: `no agent listens at ${world.config.localApi}, though the system of this root runs`,
    why: UNANSWERED,
    advice: `wait some seconds, in which what supervises it starts a dead agent again. If it stays away, the end of its log says why: mend that, then ${how}`,
    command: world.command('logs agent'),
  };
}

async function hung(world: World, pid: number | null): Promise<Finding> {
  // An agent that a person runs in a terminal has no supervisor.
  const isSupervised = world.hasLocalEdge || (await world.facts.service()) !== null;
  const again = isSupervised ? 'what supervises it starts it again' : `then start it again with "${world.startLine()}"`;
  return {
    code: 'agent_hung',
    severity: 'error',
    what: `the agent ${pid === null ? '' : `(process ${pid}) `}takes connections at ${world.config.localApi}, but does not respond within ${HUNG_MS / 1_000} s`,
    why: `it hangs, or it was stopped by a signal: ${UNANSWERED}`,
    advice: `end it: ${again}, and it continues with what it has stored. "${world.command('logs hung')}" may name where it hangs`,
    command: pid === null ? null : `kill -9 ${pid}`,
  };
}
