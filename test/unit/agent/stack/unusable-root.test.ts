import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const MAIN = join(REPOSITORY, 'local-agent', 'stack', 'main.ts');
/** An end that no start needs: a start that has not ended by then never would. */
const LIMIT_MS = 60_000;

describe.runIf(process.platform === 'linux')('npm start with a root that cannot be made', () => {
  it.each(['/sys/baa', '/dev/null/baa', '/proc/baa', '/proc/baa/below'])(
    'ends for %s with one line: the folder, why, and what to do',
    { timeout: 2 * LIMIT_MS },
    (root) => {
      const started = spawnSync(process.execPath, [MAIN, '--port', '0', '--agent-port', '0', '--root', root], {
        env: { PATH: process.env.PATH, HOME: tempDir() },
        encoding: 'utf8',
        timeout: LIMIT_MS,
        killSignal: 'SIGKILL',
      });
      expect(started).toMatchObject({ status: 1, signal: null, stdout: '' });
      expect(started.stderr).toMatch(
        new RegExp(
          `^npm start: the folder ${root} cannot be made: .*, so .*; choose another root \\(--root, BAA_ROOT\\)\\n$`,
        ),
      );
    },
  );
});
