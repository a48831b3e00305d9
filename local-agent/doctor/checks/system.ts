/** Whether the system of this root runs, and whether its record is true. */
import { readSystemRecord } from '../../config/system-record.ts';
import type { Check } from '../check.ts';
import { found } from '../check.ts';
import type { World } from '../world.ts';

export const system: Check<World> = {
  id: 'system',
  group: 'system',
  title: 'This root',
  look: async (world) => {
    const { machine, sources } = world;
    const { root } = sources;
    const { system: state } = world.resolved;
    const record = readSystemRecord(root, machine.readFile);
    if (state === 'running') return { state: 'ok', note: `${root} runs, as process ${record?.pid}` };
    const { how, command } = await world.startAgain();
    const start = { why: 'no browser is served and no work is done', command };
    if (record === null) {
      return found({
        code: 'never_started',
        severity: 'warning',
        what: `no system was started in ${root}`,
        advice: `${how}, or name the root of the running system with --root`,
        ...start,
      });
    }
    if (record.pid !== null) {
      return found({
        code: 'killed',
        severity: 'warning',
        what: `state/system.json names the process ${record.pid}, which has ended without a stop: it was killed, or the machine was turned off`,
        advice: `${how}: it continues with what it has stored`,
        ...start,
      });
    }
    return found({
      code: 'stopped',
      severity: 'warning',
      what: `the system of ${root} was stopped`,
      advice: how,
      ...start,
    });
  },
};
