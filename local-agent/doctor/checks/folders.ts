/** Whether the agent can write in its folders. */
import { shellWord } from '../../lib/printed-command.ts';
import type { Check, Finding } from '../check.ts';
import { outcomeOf } from '../check.ts';
import type { World } from '../world.ts';

const OWNER_WRITES = 0o300;

/** Why the agent cannot write there, and the line that lets it. */
function findingOf(path: string, { machine }: World): Finding {
  const word = shellWord(path);
  const common = { severity: 'error', why: 'the agent stores there, before it acts, what must not be lost' } as const;
  if (!machine.isFolder(path)) {
    return {
      code: 'folder_is_none',
      ...common,
      what: `${path} is no folder`,
      advice: 'move the file away: the next start of the agent makes the folder',
      command: `mv ${word} ${shellWord(`${path}.moved`)}`,
    };
  }
  const what = `this user cannot write in ${path}`;
  if (!machine.isOwn(path)) {
    return {
      code: 'folder_of_other_user',
      ...common,
      what: `${what}: it belongs to another user`,
      advice: 'give it to the user who runs the agent, which is you; do not run this program with sudo',
      command: `sudo chown -R "$(id -u):$(id -g)" ${word}`,
    };
  }
  if (((machine.modeOf(path) ?? 0) & OWNER_WRITES) === OWNER_WRITES) {
    return {
      code: 'folder_read_only',
      ...common,
      what: `${what}: its disk, or the folder itself, can only be read`,
      advice: 'mount that disk so that it can be written; a disk that the system has made read-only has faults',
      command: null,
    };
  }
  return {
    code: 'folder_not_writable',
    ...common,
    what,
    advice: 'take the right to write',
    command: `chmod u+rwx ${word}`,
  };
}

export const folders: Check<World> = {
  id: 'folders',
  group: 'files',
  title: 'Folders',
  look: (world) => {
    const {
      machine,
      config,
      sources: { root },
    } = world;
    if (machine.modeOf(root) === null) return { state: 'ok', note: `${root} is made by the first start` };
    const { stateDir, logsDir, runsDir, worktreesDir, tmpDir } = config;
    const existing = [...new Set([root, stateDir, logsDir, runsDir, worktreesDir, tmpDir])].filter(
      (path) => machine.modeOf(path) !== null,
    );
    const findings = existing
      .filter((path) => !machine.isFolder(path) || !machine.canWriteIn(path))
      .map((path) => findingOf(path, world));
    return outcomeOf(findings, `${existing.length} folders below ${root} can be written`);
  },
};
