/** How deep a path may be. The checks of a path look at each folder above it, so their work grows with its depth. */
import { sep } from 'node:path';

/** The most names in an absolute path that tools use. */
export const MAX_PATH_LEVELS = 64;
const SHOWN_CHARACTERS = 80;

/** How many names an absolute path has. */
export function pathLevels(path: string): number {
  return path.split(sep).filter(Boolean).length;
}

/** Why a path is too deep; null when it is not. */
export function tooDeep(path: string): string | null {
  const levels = pathLevels(path);
  if (levels <= MAX_PATH_LEVELS) return null;
  const shown = path.length > SHOWN_CHARACTERS ? `${path.slice(0, SHOWN_CHARACTERS)}…` : path;
  return `${shown} is a path of ${levels} levels, and at most ${MAX_PATH_LEVELS} are allowed; use a path with fewer folders`;
}
