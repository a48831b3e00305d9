/** Whether the next start finds its ports free: who has them while this system does not run. */

import { BRIDGE } from '../../../schema/defaults.ts';
import { readSystemRecord } from '../../config/system-record.ts';
import type { Listener } from '../../worker-runner/listeners.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

/** Where `npm start` listens unless an option says otherwise. */
const EDGE_PORT = 8787;
const AGENT_PORT = Number(new URL(BRIDGE.default_local_api).port);
const MAX_COMMAND_CHARS = 80;

interface Port {
  port: number;
  flag: string;
}

function portsOf({ hasLocalEdge, config }: World): Port[] {
  if (hasLocalEdge) {
    return [
      { port: EDGE_PORT, flag: '--port' },
      { port: AGENT_PORT, flag: '--agent-port' },
    ];
  }
  if (config.localApi === null) return [];
  return [{ port: Number(new URL(config.localApi).port), flag: '--local-api' }];
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

function taken(world: World, { port, flag }: Port, listener: Listener): Finding {
  const other = rootWith(port, world);
  const local = world.hasLocalEdge;
  return {
    severity: 'error',
    what: `port ${port} is taken by ${other === null ? nameOf(listener) : `the system of ${other} (${nameOf(listener)})`}`,
    why: `${world.startCommand()} cannot listen there`,
    advice: `stop that program, or start this system on another port: ${flag} 0 picks a free one`,
    command: local ? world.startCommand(` ${flag} 0`) : `${world.startCommand()} --local-api http://127.0.0.1:0`,
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
      wanted.map(async (one) => {
        const listener = await world.machine.listenerOf(one.port);
        return listener === null ? [] : [taken(world, one, listener)];
      }),
    );
    return outcomeOf(looked.flat(), `${wanted.map(({ port }) => port).join(' and ')} are free`);
  },
};
