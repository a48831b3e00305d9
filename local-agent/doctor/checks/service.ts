/** Whether the service that starts this root at login still fits the program, and runs. */
import type { StaleCode } from '../../service/state.ts';
import type { Check, Finding } from '../check.ts';
import { found, outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

/** With these nothing runs after the next start. */
const BROKEN: ReadonlySet<StaleCode> = new Set(['unreadable', 'node_missing', 'program_missing']);
const WHY_BROKEN = 'after the next login or restart, this root does not run';
const WHY_OUTDATED = 'after the next login or restart, another program runs than you have installed';
const WHY_DOWN = 'no browser is served and no work is done';

export const service: Check<World> = {
  id: 'service',
  group: 'system',
  title: 'Service',
  look: async (world) => {
    const { root } = world.sources;
    // Read first: an invalid configuration says nothing about the service.
    void world.config;
    const state = await world.machine.serviceOf(root);
    if (state === null) throw new Skipped('this program knows no services of this system');
    if (!state.installed)
      return {
        state: 'ok',
        note: `none is installed; "${world.command('service install')}" starts this root at login`,
      };
    if (state.stale.some(({ code }) => code === 'other_root')) {
      return { state: 'ok', note: `the service of this person runs another root: ${state.root}` };
    }
    const stale = state.stale.map(
      ({ code, text }): Finding => ({
        ...(BROKEN.has(code)
          ? { code: 'service_broken', severity: 'error', why: WHY_BROKEN }
          : { code: 'service_outdated', severity: 'warning', why: WHY_OUTDATED }),
        what: `${state.file} is out of date: ${text}`,
        advice: `install it again, which replaces the file${code === 'unreadable' ? '' : ', keeps the settings in it,'} and starts the service`,
        command: world.command('service install'),
      }),
    );
    if (stale.length > 0) return outcomeOf(stale, '');
    if (state.loaded === null) throw new Skipped(`${state.manager} cannot be asked: ${state.problem}`);
    const { running, fails, word } = state.loaded;
    if (running) return { state: 'ok', note: `${state.file}: ${word}` };
    return found(fails ? failing(world, word) : stopped(world, word));
  },
};

function failing(world: World, word: string): Finding {
  return {
    code: 'service_fails',
    severity: 'error',
    what: `the service ends again and again (${word})`,
    why: WHY_DOWN,
    advice: 'its last lines say why: mend that, and the service starts by itself within 10 s',
    command: world.command('service logs'),
  };
}

function stopped(world: World, word: string): Finding {
  return {
    code: 'service_stopped',
    severity: 'warning',
    what: `the service is installed, but does not run (${word})`,
    why: WHY_DOWN,
    advice: `start it; "${world.command('service logs')}" shows why it ended`,
    command: world.command('service start'),
  };
}
