/** A folder that tools may use (`root`) beside one that they may not (`outside`), on a real file system. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Roots } from '../../../../local-agent/host/roots.ts';
import { FileError, openRoots } from '../../../../local-agent/host/roots.ts';

export interface Workspace {
  base: string;
  root: string;
  /** Contains a file `secret`. */
  outside: string;
  roots: Roots;
}

/** The real path of a new temporary folder. */
export function tempFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'baa-files-')));
}

/** A workspace that is made before each test and removed after it. */
export function useWorkspace(): Workspace {
  const workspace = {} as Workspace;
  beforeEach(() => {
    const base = tempFolder();
    const root = join(base, 'workspace');
    const outside = join(base, 'outside');
    mkdirSync(root);
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    Object.assign(workspace, { base, root, outside, roots: openRoots([root], []) });
  });
  afterEach(() => rmSync(workspace.base, { recursive: true, force: true }));
  return workspace;
}

/** The code of the FileError that an operation throws; `done` when it throws none. */
export function fileErrorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
  return 'done';
}
