/** Whether config.toml, the environment and the record of the root can be read. */
import { configPathOf, systemRecordPathOf } from '../../config/root-files.ts';
import { placeOf } from '../../config/setting-place.ts';
import { printedCommand, shellWord } from '../../lib/printed-command.ts';
import type { Check, Finding } from '../check.ts';
import { found, outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

const SECOND_MS = 1_000;

function invalid({ sources: { root, env } }: World, { message }: Error): Finding {
  const common = { severity: 'error', what: message, why: 'no command and no agent starts with it' } as const;
  const record = systemRecordPathOf(root);
  if (message.startsWith(`${record} is damaged`)) {
    return {
      code: 'record_damaged',
      ...common,
      advice: 'end the system of this root with Ctrl-C if it runs, and remove the file: the next start writes it again',
      command: `rm ${shellWord(record)}`,
    };
  }
  return {
    code: 'config_invalid',
    ...common,
    advice: `correct it in the place that the message names; docs/running.md lists the files of a root, and "${printedCommand(env, 'config --help')}" the settings`,
    command: null,
  };
}

export const config: Check<World> = {
  id: 'config',
  group: 'files',
  title: 'Configuration',
  look: async (world) => {
    const { resolved, root } = world.sources;
    if (resolved instanceof Error) return found(invalid(world, resolved));
    const { leaseRenewIntervalMs, leaseTtlSec } = resolved.config;
    const path = configPathOf(root);
    const note = world.machine.readFile(path) === null ? `${path} is not there; defaults apply` : path;
    if (leaseRenewIntervalMs < leaseTtlSec * SECOND_MS) return outcomeOf([], note);
    const { how } = await world.startAgain();
    const place = (key: 'leaseRenewIntervalMs' | 'leaseTtlSec') => placeOf(key, resolved.origins[key]);
    return found({
      code: 'lease_renewed_late',
      severity: 'warning',
      what: `lease_renew_interval_ms is ${leaseRenewIntervalMs}, and the lease lasts ${leaseTtlSec} s`,
      why: 'the lease expires between two renewals, so the leader changes all the time',
      advice: `make the first less than ${leaseTtlSec * SECOND_MS} (it is from ${place('leaseRenewIntervalMs')}; the second from ${place('leaseTtlSec')}; the file is ${path}), then ${how}`,
      command: null,
    });
  },
};
