/** Whether the agent can write in its folders. */
import { shellWord } from '../../lib/printed-command.ts';
import type { Check } from '../check.ts';
import { outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

export const folders: Check<World> = {
  id: 'folders',
  group: 'files',
  title: 'Folders',
  look: ({ machine, config, sources: { root } }) => {
    if (machine.modeOf(root) === null) return { state: 'ok', note: `${root} is made by the first start` };
    const { stateDir, logsDir, runsDir, worktreesDir, tmpDir } = config;
    const existing = [...new Set([root, stateDir, logsDir, runsDir, worktreesDir, tmpDir])].filter(
      (path) => machine.modeOf(path) !== null,
    );
    const findings = existing
      .filter((path) => !machine.isFolder(path) || !machine.canWriteIn(path))
      .map((path) => {
        const isFolder = machine.isFolder(path);
        return {
          severity: 'error' as const,
          what: isFolder ? `this user cannot write in ${path}` : `${path} is no folder`,
          why: 'the agent stores there, before it acts, what must not be lost',
          advice: isFolder
            ? 'give it back to the user who runs the agent, with the right to write; a read-only disk has to be mounted writable'
            : 'move the file away; the agent makes the folder',
          command: isFolder ? `chmod u+rwx ${shellWord(path)}` : null,
        };
      });
    return outcomeOf(findings, `${existing.length} folders below ${root} can be written`);
  },
};
