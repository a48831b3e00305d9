/** Whether Git is there, and new enough to be safe on a repository that a chat can write. */
import type { Check } from '../check.ts';
import { found } from '../check.ts';
import type { World } from '../world.ts';

/** The first with `safe.bareRepository`, which the agent sets. */
const SAFE = { major: 2, minor: 38 };

export const git: Check<World> = {
  id: 'git',
  group: 'program',
  title: 'Git',
  look: async ({ machine }) => {
    const { code, text } = await machine.askProgram(['git', '--version']);
    const [, version, major, minor] = /git version ((\d+)\.(\d+)[\w.]*)/.exec(text) ?? [];
    if (code !== 0 || version === undefined) {
      return found({
        code: 'git_missing',
        severity: 'error',
        what: text.includes('ENOENT') ? 'git is not installed, or in no folder of PATH' : `git does not run: ${text}`,
        why: 'tasks need it for worktrees and checkpoints, and files/patch for patches',
        advice:
          'install git with the package manager of this system, such as "sudo apt install git", or on macOS "xcode-select --install"',
        command: null,
      });
    }
    if (Number(major) > SAFE.major || (Number(major) === SAFE.major && Number(minor) >= SAFE.minor)) {
      return { state: 'ok', note: version };
    }
    return found({
      code: 'git_too_old',
      severity: 'warning',
      what: `git is ${version}, and ${SAFE.major}.${SAFE.minor} or newer is needed for all of its protections`,
      why: 'this git takes a folder that a chat has laid out for a repository, and runs what its configuration names',
      advice:
        'update git with the package manager of this system; where that has only an older one, https://git-scm.com/downloads names others',
      command: null,
    });
  },
};
