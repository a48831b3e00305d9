/** Whether config.toml, the environment and the record of the root can be read. */
import { configPathOf } from '../../config/root-files.ts';
import { printedCommand } from '../../lib/printed-command.ts';
import type { Check } from '../check.ts';
import { found, outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

const SECOND_MS = 1_000;

export const config: Check<World> = {
  id: 'config',
  group: 'files',
  title: 'Configuration',
  look: (world) => {
    const { resolved, root, env } = world.sources;
    if (resolved instanceof Error) {
      return found({
        severity: 'error',
        what: resolved.message,
        why: 'no command and no agent starts with it',
        advice: `correct it in the place that the message names; docs/running.md lists the files of a root, and "${printedCommand(env, 'config --help')}" the settings`,
        command: null,
      });
    }
    const { leaseRenewIntervalMs, leaseTtlSec } = resolved.config;
    const path = configPathOf(root);
    const note = world.machine.readFile(path) === null ? `${path} is not there; defaults apply` : path;
    if (leaseRenewIntervalMs < leaseTtlSec * SECOND_MS) return outcomeOf([], note);
    return found({
      severity: 'warning',
      what: `lease_renew_interval_ms is ${leaseRenewIntervalMs}, and the lease lasts ${leaseTtlSec} s`,
      why: 'the lease expires between two renewals, so the leader changes all the time',
      advice: `set lease_renew_interval_ms below ${leaseTtlSec * SECOND_MS} in ${path}`,
      command: null,
    });
  },
};
