import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hardenedGit } from '../../../../local-agent/host/hardened-git.ts';
import { useWorkspace } from './workspace.ts';

const workspace = useWorkspace();

it('Git refuses a repository with more folders of submodules than are checked', () => {
  const { root, base, roots } = workspace;
  const modules = join(root, '.git', 'modules');
  mkdirSync(join(root, '.git', 'objects'), { recursive: true });
  mkdirSync(join(root, '.git', 'HEAD'));
  mkdirSync(modules);
  for (let n = 0; n < 2_001; n++) mkdirSync(join(modules, String(n)));
  const { notes } = hardenedGit({ folder: root, roots, home: base });
  expect(notes).toEqual([
    `Git refuses this repository: ${modules} holds too many folders to check their configuration`,
  ]);
});
