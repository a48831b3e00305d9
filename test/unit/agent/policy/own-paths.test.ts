import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rememberRoot } from '../../../../local-agent/config/known-roots.ts';
import { writeSystemRecord } from '../../../../local-agent/config/system-record.ts';
import { FileError, openRoots } from '../../../../local-agent/host/roots.ts';
import { ownPaths } from '../../../../local-agent/policy/own-paths.ts';
import { rootWarnings } from '../../../../local-agent/policy/root-warnings.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const PROGRAM = resolve(import.meta.dirname, '../../../..');

afterEach(() => vi.unstubAllEnvs());

/** The verdict on a path for tools whose policy names the whole file system as a root. */
function verdictsOn(root: string): (path: string) => string {
  const paths = ownPaths({
    root,
    stateDir: join(root, 'state'),
    logsDir: join(root, 'logs'),
    runsDir: join(root, 'runs'),
  });
  const roots = openRoots(['/'], paths);
  return (path) => {
    try {
      roots.admit(path);
      return 'admitted';
    } catch (error) {
      if (error instanceof FileError) return error.code;
      throw error;
    }
  };
}

describe('the files that no tool touches', () => {
  it.each([
    'local-agent/cli.ts',
    'node_modules/zod/index.js',
    '.wrangler/state/bootstrap.token',
    '.dev.vars',
    'new.ts',
  ])('the program’s own %s is protected in every layout', (path) => {
    vi.stubEnv('HOME', tempDir());
    expect(verdictsOn('/srv/baa')(join(PROGRAM, path))).toBe('path_protected');
  });

  it.each([
    'policy.json',
    'config.toml',
    'state/operator.token',
    'logs/agent.1.log',
    'edge/bootstrap.token',
    'runs/task_1/run_1/deadline.json',
    'edge/v3/d1/db.sqlite',
    'firefox/profile/cookies.sqlite',
  ])('%s is protected in this root, in the default root and in every root of this machine', (path) => {
    const home = tempDir();
    vi.stubEnv('HOME', home);
    const other = join(home, 'other');
    const record = {
      edge_url: 'http://127.0.0.1:1',
      agent_url: null,
      node_id: 'b',
      pid: null,
      began: null,
      version: '1',
    };
    writeSystemRecord(other, record);
    rememberRoot(other);
    const verdict = verdictsOn(join(home, 'mine'));
    for (const root of ['mine', '.baa', 'other']) expect(verdict(join(home, root, path))).toBe('path_protected');
    expect(verdict(join(home, 'unknown', path))).toBe('admitted');
  });

  it('the workspace of a root is admitted', () => {
    vi.stubEnv('HOME', tempDir());
    expect(verdictsOn('/srv/baa')('/srv/baa/workspace/notes/today.md')).toBe('admitted');
  });
});

describe('the warnings about the roots of a policy', () => {
  const around = { home: '/home/ada', program: '/home/ada/src/conductor', states: ['/home/ada/.baa/state'] };

  it.each([
    [
      '/',
      /holds the home folder and the program \(.*conductor\) and the state of the conductor \(\/home\/ada\/\.baa\)/,
    ],
    ['/home/ada', /holds the home folder/],
    ['/home/ada/src', /policy root \/home\/ada\/src holds the program/],
    ['/home/ada/.baa', /holds the state of the conductor/],
    ['/home/ada/src/conductor/work', /lies in the program's folder/],
  ])('the root %s leads to a warning that says what it holds', (root, expected) => {
    expect(rootWarnings([root], around).join()).toMatch(expected);
  });

  it('a narrow root leads to no warning', () => {
    expect(rootWarnings(['/home/ada/.baa/workspace', '/home/ada/src/conductor-notes'], around)).toEqual([]);
  });
});
