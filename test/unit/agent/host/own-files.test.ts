import { statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { homeFolder, makePrivateFolder } from '../../../../local-agent/host/own-files.ts';
import { useWorkspace } from './workspace.ts';

const workspace = useWorkspace();

describe('the home folder', () => {
  it('is that of the account when HOME is empty, and never the working directory', () => {
    vi.stubEnv('HOME', '');
    expect(homeFolder()).toBe(userInfo().homedir);
    vi.unstubAllEnvs();
  });
});

describe('a private folder', () => {
  it('is made with every folder above it, and an existing one keeps its mode', () => {
    const path = join(workspace.root, 'a', 'b');
    makePrivateFolder(path);
    expect([path, join(path, '..')].map((folder) => statSync(folder).mode & 0o777)).toEqual([0o700, 0o700]);
    makePrivateFolder(workspace.root);
    expect(statSync(workspace.root).mode & 0o777).not.toBe(0o700);
  });

  it.runIf(process.platform === 'linux')('that cannot be made is named, with what prevents it and what to do', () => {
    writeFileSync(join(workspace.root, 'file'), '');
    for (const [path, why] of [
      ['/proc/nothing/below', 'the folder above it takes no new folders'],
      [join(workspace.root, 'file', 'below'), 'a file is where a folder has to be'],
    ]) {
      expect(() => makePrivateFolder(String(path))).toThrow(
        new RegExp(
          `^the folder ${path} cannot be made: E[A-Z]+: .*, so ${why}; choose another root \\(--root, BAA_ROOT\\)$`,
        ),
      );
    }
  });
});
