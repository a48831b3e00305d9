/** Whether the next start finds its ports free: who has them while this system does not run. */
import { readSystemRecord } from '../../config/system-record.ts';
import type { Listener } from '../../worker-runner/listeners.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

const MAX_COMMAND_CHARS = 80;

interface Port {
  port: number;
  of: 'edge' | 'agent';
}

function portsOf(world: World): Port[] {
  if (world.hasLocalEdge) {
    const { edge, agent } = world.ports;
    return [
      { port: edge, of: 'edge' },
      { port: agent, of: 'agent' },
    ];
  }
  const { localApi } = world.config;
  return localApi === null ? [] : [{ port: Number(new URL(localApi).port), of: 'agent' }];
}

/** The other root of this machine whose running system has that port; null when none has. */
function rootWith(port: number, { machine, sources }: World): string | null {
  const others = machine.knownRoots().filter((root) => root !== sources.root);
  const has = (root: string): boolean => {
    try {
      const record = readSystemRecord(root, machine.readFile);
      if (record === null || record.pid === null || !machine.isAlive({ pid: record.pid, began: record.began }))
        return false;
      return [record.edge_url, record.agent_url].some((url) => url !== null && Number(new URL(url).port) === port);
    } catch {
      return false;
    }
  };
  return others.find(has) ?? null;
}

function nameOf({ pid, command }: Listener): string {
  if (pid === null) return 'a program of another user';
  return command === null ? `process ${pid}` : `process ${pid} (${command.slice(0, MAX_COMMAND_CHARS)})`;
}

function takenBy(world: World, { port, listener }: Port & { listener: Listener }): string {
  const other = rootWith(port, world);
  return `port ${port} is taken by ${other === null ? nameOf(listener) : `the system of ${other} (${nameOf(listener)})`}`;
}

/** One finding for all of them: a start needs every port. */
async function findingOf(world: World, taken: readonly (Port & { listener: Listener })[]): Promise<Finding> {
  const what = taken.map((one) => takenBy(world, one)).join(', and ');
  const common = { code: 'port_taken', severity: 'error', what, why: 'this system cannot listen there' } as const;
  if ((await world.facts.service()) !== null) {
    const { how, command } = await world.startAgain();
    return { ...common, advice: `stop that program first, and then ${how}, which listens at these ports`, command };
  }
  const free = Object.fromEntries(taken.map((one) => [one.of, 0]));
  const isPaired = taken.some(({ of }) => of === 'agent');
  const pair = isPaired ? '; browsers that are paired look at the old port until they are paired again' : '';
  return {
    ...common,
    advice: `stop that program and start this system, or start it at free ports${pair}`,
    command: world.startLine(free),
  };
}

export const ports: Check<World> = {
  id: 'ports',
  group: 'system',
  title: 'Ports',
  look: async (world) => {
    if (world.resolved.system === 'running') return { state: 'ok', note: 'this system has its ports' };
    const wanted = portsOf(world);
    const looked = await Promise.all(
      wanted.map(async (one) => ({ ...one, listener: await world.machine.listenerOf(one.port) })),
    );
    const taken = looked.flatMap((one) => (one.listener === null ? [] : [{ ...one, listener: one.listener }]));
    const findings = taken.length === 0 ? [] : [await findingOf(world, taken)];
    return outcomeOf(findings, `${wanted.map(({ port }) => port).join(' and ')} are free`);
  },
};
