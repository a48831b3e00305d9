/** Whether the disk of the root has room. */
import { configPathOf } from '../../config/root-files.ts';
import { shellWord } from '../../lib/printed-command.ts';
import type { Check } from '../check.ts';
import { found, Skipped } from '../check.ts';
import type { World } from '../world.ts';

const MIB = 1024 * 1024;
const LOW_MIB = 1_024;
const FULL_MIB = 200;

export const diskSpace: Check<World> = {
  id: 'disk-space',
  group: 'files',
  title: 'Disk space',
  look: (world) => {
    const { machine, sources } = world;
    const free = machine.freeBytes(sources.root) ?? machine.freeBytes(machine.home);
    if (free === null) throw new Skipped(`the system does not say how much room the disk of ${sources.root} has`);
    const mib = Math.floor(free / MIB);
    if (mib >= LOW_MIB) return { state: 'ok', note: `${mib} MiB are free` };
    return found({
      code: 'disk_low',
      severity: mib < FULL_MIB ? 'error' : 'warning',
      what: `the disk of ${sources.root} has ${mib} MiB left`,
      why: 'on a full disk the agent claims nothing and waits, and a local edge does not start; nothing that was stored is lost',
      advice: `free space on that disk; this line shows what the root takes of it. runs_budget_mib in ${configPathOf(sources.root)} limits run files and worktrees of ended tasks`,
      command: `du -sk ${shellWord(sources.root)}/* | sort -n`,
    });
  },
};
