/** Whether the clocks of this machine and of the edge agree. */
import type { Check } from '../check.ts';
import { found, Skipped } from '../check.ts';
import type { Contact } from '../machine.ts';
import type { World } from '../world.ts';

const LIMIT_MS = 30_000;
/** The header names whole seconds: the time is up to a second later. */
const HEADER_MS = 1_000;

/** How far this machine is ahead of the edge (negative: behind), at least. 0 when they may agree. */
export function skewMs({
  date,
  sentAt,
  receivedAt,
}: Pick<Contact, 'sentAt' | 'receivedAt'> & { date: number }): number {
  if (sentAt > date + HEADER_MS) return sentAt - (date + HEADER_MS);
  if (receivedAt < date) return receivedAt - date;
  return 0;
}

export const clock: Check<World> = {
  id: 'clock',
  group: 'edge',
  title: 'Clock',
  look: async ({ facts }) => {
    const contact = await facts.edgeContact();
    if ('reason' in contact) throw new Skipped('the edge cannot be reached');
    const { date } = contact;
    if (date === null) throw new Skipped('the edge does not say what time it is');
    const skew = skewMs({ ...contact, date });
    if (Math.abs(skew) <= LIMIT_MS) return { state: 'ok', note: 'it agrees with that of the edge' };
    const seconds = Math.round(Math.abs(skew) / 1_000);
    return found({
      code: 'clock_off',
      severity: 'warning',
      what: `the clock of this machine is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} that of the edge`,
      why: 'no lease depends on it, but times in lists and logs are wrong, and tokens and links seem to expire early or late',
      advice: 'let the system set the clock from the network (on macOS: System Settings, Date & Time)',
      command: process.platform === 'linux' ? 'sudo timedatectl set-ntp true' : null,
    });
  },
};
