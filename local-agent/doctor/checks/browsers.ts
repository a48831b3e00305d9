/** Whether a browser is paired and connected, with an extension of this version. */
import type { Check } from '../check.ts';
import { found, outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

export const browsers: Check<World> = {
  id: 'browsers',
  group: 'browsers',
  title: 'Browsers',
  look: async (world) => {
    const { clients } = await world.facts.agent();
    const connected = clients.filter((one) => one.connected);
    if (connected.length === 0) {
      const isPaired = clients.length > 0;
      return found({
        code: isPaired ? 'no_browser_connected' : 'no_browser_paired',
        severity: 'warning',
        what: isPaired
          ? `no browser is connected; paired are ${clients.map(({ client_id }) => client_id).join(', ')}`
          : 'no browser is paired with this node',
        why: 'no chat is read, and no reply is delivered',
        advice: isPaired
          ? 'open that Firefox; the button of the extension says what it waits for. When it was one of its own, this line opens it'
          : `open a Firefox of its own, paired; "${world.command('pair')}" pairs your own Firefox`,
        command: world.command('firefox'),
      });
    }
    const own = world.sources.version;
    const others = connected.filter(({ extension_version: one }) => one !== null && one !== own);
    const findings = others.map(({ client_id, extension_version }) => ({
      code: 'extension_version' as const,
      severity: 'note' as const,
      what: `the extension of ${client_id} has version ${extension_version}, and this program ${own}`,
      why: 'an extension of the version before works, but lacks what is new',
      advice:
        'close that Firefox, when it is one of its own, and open it again by this line; in your own Firefox install the new archive, as docs/firefox.md says',
      command: world.command('firefox'),
    }));
    return outcomeOf(findings, `${connected.map(({ client_id }) => client_id).join(', ')}: connected`);
  },
};
