/** Which folders of the agent's PATH programs get. */
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { hostPath } from '../../../../local-agent/tools/program-environment.ts';
import { useWorkspace } from '../host/workspace.ts';

/** The folder of the conductor's package. */
const PACKAGE = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');
const binOf = (project: string) => join(project, 'node_modules', '.bin');

describe('the PATH of programs', () => {
  const workspace = useWorkspace();

  function kept(...folders: string[]): string[] {
    const path = ['/usr/bin', ...folders].join(delimiter);
    return hostPath(path, openRoots([workspace.root], [])).path.split(delimiter);
  }

  it.each([
    ["the conductor's own node_modules/.bin", binOf(PACKAGE)],
    ['the node_modules/.bin of the folder above', binOf(dirname(PACKAGE))],
    ['the node_modules/.bin of the top folder', '/node_modules/.bin'],
    ['the node-gyp-bin of npm', '/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin'],
  ])('leaves out %s, which npm adds', (_name, folder) => {
    expect(kept(folder)).toEqual(['/usr/bin']);
  });

  it.each([
    ['of another project', '/opt/tool/node_modules/.bin'],
    ['of a project whose name begins like that of the conductor', binOf(`${PACKAGE}-other`)],
    ['of a folder below the conductor', binOf(join(PACKAGE, 'below'))],
  ])('keeps the node_modules/.bin %s', (_name, folder) => {
    expect(kept(folder)).toEqual(['/usr/bin', folder]);
  });

  it('keeps folders whose names only resemble those of npm', () => {
    const folders = [join(PACKAGE, 'bin'), join(PACKAGE, 'node_modules', 'x', 'bin'), '/opt/my-node-gyp-bin'];
    expect(kept(...folders)).toEqual(['/usr/bin', ...folders]);
  });

  it('leaves out relative folders and those that a chat can write', () => {
    expect(kept('bin', '.', '', join(workspace.root, 'bin'))).toEqual(['/usr/bin']);
  });
});
