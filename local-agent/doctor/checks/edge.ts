/** Whether the edge responds. */
import type { Check } from '../check.ts';
import { found } from '../check.ts';
import type { World } from '../world.ts';

const OK = 200;

export const edge: Check<World> = {
  id: 'edge',
  group: 'edge',
  title: 'Edge',
  look: async (world) => {
    const contact = await world.facts.edgeContact();
    const { controlApiBase: url } = world.config;
    const isLocal = world.hasLocalEdge;
    const why = 'agents work on what they have and keep their reports, but nothing new is claimed';
    if ('reason' in contact) {
      return found({
        severity: 'error',
        what: `the edge at ${url} does not respond: ${contact.reason}`,
        why,
        advice: isLocal
          ? `its supervisor starts a dead edge again within seconds; the newest edge.*.log in ${world.config.logsDir} says why it ended`
          : 'look whether this machine is online and the address is right; BAA_CONTROL_API_BASE or control_api_base in config.toml sets it',
        command: isLocal ? null : `curl -i ${url}/healthz`,
      });
    }
    if (contact.status === OK && contact.level !== null) {
      return { state: 'ok', note: `${url} responds in ${contact.receivedAt - contact.sentAt} ms` };
    }
    return found({
      severity: 'error',
      what: `${url}/healthz responds with ${contact.status}, and not as an edge does`,
      why: `another program has that address, or a sign-in (Cloudflare Access) is before it: ${why}`,
      advice:
        'correct the address (BAA_CONTROL_API_BASE, or control_api_base in config.toml), or let the sign-in pass the API',
      command: `curl -i ${url}/healthz`,
    });
  },
};
