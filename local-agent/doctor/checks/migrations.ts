/** Whether D1 has the tables of this version. */
import { join } from 'node:path';
import { PROGRAM_FOLDER } from '../../host/program-file.ts';
import type { Check } from '../check.ts';
import { found, Skipped } from '../check.ts';
import type { World } from '../world.ts';

export const migrations: Check<World> = {
  id: 'migrations',
  group: 'edge',
  title: 'Database',
  look: async (world) => {
    const folder = join(PROGRAM_FOLDER, 'schema', 'migrations');
    const own = world.machine.namesIn(folder).filter((name) => name.endsWith('.sql'));
    if (own.length === 0) throw new Skipped(`${folder} holds no migrations to compare with`);
    const { migrations: run } = await world.facts.health();
    if (run === null) throw new Skipped('the database does not say which migrations it has run');
    const missing = own.filter((name) => !run.includes(name)).sort();
    const unknown = run.filter((name) => !own.includes(name)).sort();
    if (missing.length > 0) {
      return found({
        code: 'migrations_missing',
        severity: 'error',
        what: `the edge's database lacks ${missing.length} migrations: ${missing.join(', ')}`,
        why: 'requests that need the missing tables or columns fail',
        ...(await world.updateEdge({
          local: 'a start applies them',
          deployed: 'apply them to the deployed database, as a deploy does before it changes the Worker',
        })),
      });
    }
    if (unknown.length === 0) return { state: 'ok', note: `all ${own.length} migrations have run` };
    const { how } = await world.startAgain();
    return found({
      code: 'migrations_unknown',
      severity: 'warning',
      what: `the edge's database has migrations that this program does not know: ${unknown.join(', ')}`,
      why: 'this program is older than the edge',
      advice: `update this program, then ${how}`,
      command: world.updateLine,
    });
  },
};
