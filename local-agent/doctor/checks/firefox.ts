/** Whether there is a Firefox that takes the extension. */
import { buildName, signatureProblem } from '../../firefox/build-kind.ts';
import type { Check } from '../check.ts';
import { found } from '../check.ts';
import type { World } from '../world.ts';

export const firefox: Check<World> = {
  id: 'firefox',
  group: 'browsers',
  title: 'Firefox',
  look: (world) => {
    const { machine } = world;
    let known: ReturnType<typeof machine.findFirefox>;
    try {
      known = machine.findFirefox();
    } catch (error) {
      return found({
        code: 'firefox_missing',
        severity: 'warning',
        what: error instanceof Error ? error.message : String(error),
        why: 'a node without a browser runs tasks, but serves no chat',
        advice: `install Firefox ESR or Developer Edition; then "${world.command('firefox')}" opens and pairs it. docs/firefox.md says which builds take the extension`,
        command: null,
      });
    }
    const { program, build } = known;
    const problem = signatureProblem(program, build);
    if (problem === null) return { state: 'ok', note: `${buildName(build)} at ${program}` };
    return found({
      code: 'firefox_signed_only',
      severity: 'warning',
      what: problem,
      why: 'the extension does not stay installed in it',
      advice: `the first of these ways is the shortest; then "${world.command('firefox')}" opens and pairs it. docs/firefox.md describes each`,
      command: null,
    });
  },
};
