/**
 * The program of Node for a service. The path of the running one may belong to a version that an upgrade removes
 * (`/opt/homebrew/Cellar/node/24.1.0/bin/node`), so a name in PATH that leads to the same program is preferred.
 */
import { delimiter, isAbsolute, join } from 'node:path';

export interface NodeSources {
  execPath: string;
  /** PATH as `servicePath` gives it. */
  path: string;
  /** The path without symbolic links; null when nothing is there. */
  realPath: (path: string) => string | null;
  /** The folder of this program, whose `node_modules` may hold a Node of its own. */
  program: string;
}

export function stableNode({ execPath, path, realPath, program }: NodeSources): string {
  const own = realPath(execPath);
  const candidates = [join(program, 'node_modules', '.bin'), ...path.split(delimiter)]
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, 'node'));
  return candidates.find((candidate) => own !== null && realPath(candidate) === own) ?? execPath;
}
