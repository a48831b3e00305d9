/** Whether the service that starts this root at login still fits the program, and runs. */
import type { Check, Finding } from '../check.ts';
import { outcomeOf, Skipped } from '../check.ts';
import type { World } from '../world.ts';

const WHY_STALE = 'after the next login or restart, another program runs than you have installed, or none';

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
      return { state: 'ok', note: 'none is installed; "conductor service install" starts this root at login' };
    if (state.stale.some(({ code }) => code === 'other_root')) {
      return { state: 'ok', note: `the service of this person runs another root: ${state.root}` };
    }
    const stale = state.stale.map(
      ({ code, text }): Finding => ({
        severity: code === 'node_missing' ? 'error' : 'warning',
        what: `${state.file} is out of date: ${text}`,
        why: WHY_STALE,
        advice: 'install it again, which replaces the file and keeps its settings',
        command: world.command('service install'),
      }),
    );
    if (stale.length > 0) return outcomeOf(stale, '');
    if (state.loaded === null) throw new Skipped(`${state.manager} cannot be asked: ${state.problem}`);
    const { running, word } = state.loaded;
    const stopped: Finding = {
      severity: 'warning',
      what: `the service is installed, but does not run (${word})`,
      why: 'no browser is served and no work is done',
      advice: 'start it; "conductor service logs" shows why it ended',
      command: world.command('service start'),
    };
    return outcomeOf(running ? [] : [stopped], `${state.file}: ${word}`);
  },
};
