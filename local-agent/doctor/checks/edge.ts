/** Whether the edge responds. */
import { placeOf } from '../../config/setting-place.ts';
import { shellWord } from '../../lib/printed-command.ts';
import type { Check, Finding } from '../check.ts';
import { found } from '../check.ts';
import type { NoContact } from '../machine.ts';
import type { World } from '../world.ts';

const OK = 200;

const WHY = 'agents work on what they have and keep their reports, but nothing new is claimed';

/** An edge of this machine: gone, or a process that takes connections and hangs. */
async function silentHere(world: World, { reason, silent }: NoContact): Promise<Finding> {
  const { controlApiBase: url } = world.config;
  const common = { severity: 'error', what: `the edge at ${url} does not respond: ${reason}`, why: WHY } as const;
  const listener = silent ? await world.machine.listenerOf(Number(new URL(url).port)) : null;
  if (listener !== null && listener.pid !== null) {
    return {
      code: 'edge_hung',
      ...common,
      what: `the edge (process ${listener.pid}) takes connections at ${url}, but does not respond: ${reason}`,
      advice: `end its process: what supervises it starts it again, and nothing that was acknowledged is lost. "${world.command('logs hung')}" may name where it hangs`,
      command: `kill -9 ${listener.pid}`,
    };
  }
  const { how } = await world.startAgain();
  return {
    code: 'edge_gone',
    ...common,
    advice: `wait some seconds, in which its supervisor starts a dead edge again. If it stays away, the end of its log says why: mend that, then ${how}`,
    command: world.command('logs edge'),
  };
}

export const edge: Check<World> = {
  id: 'edge',
  group: 'edge',
  title: 'Edge',
  look: async (world) => {
    const contact = await world.facts.edgeContact();
    const { controlApiBase: url } = world.config;
    const place = placeOf('controlApiBase', world.resolved.origins.controlApiBase);
    const command = `curl -i ${shellWord(`${url}/healthz`)}`;
    if ('reason' in contact) {
      if (world.hasLocalEdge) return found(await silentHere(world, contact));
      return found({
        code: 'edge_unreachable',
        severity: 'error',
        what: `the edge at ${url} does not respond: ${contact.reason}`,
        why: WHY,
        advice: `look whether this machine is online, and whether the address is right: it is from ${place}. This line shows what responds there`,
        command,
      });
    }
    if (contact.status === OK && contact.level !== null) {
      return { state: 'ok', note: `${url} responds in ${contact.receivedAt - contact.sentAt} ms` };
    }
    return found({
      code: 'edge_foreign',
      severity: 'error',
      what: `${url}/healthz responds with ${contact.status}, and not as an edge does`,
      why: `another program has that address, or a sign-in (Cloudflare Access) is before it: ${WHY}`,
      advice: `correct the address, which is from ${place}, or let the sign-in pass the API. This line shows what responds there`,
      command,
    });
  },
};
