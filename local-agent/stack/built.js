// Whether the built program in dist/conductor is made of exactly the files that are here now. Plain JavaScript, as it runs before
// it is known which program runs.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/** The path of a built program. @param {string} name */
export function builtFile(name) {
  return join(FOLDER, 'dist', 'conductor', `${name}.js`);
}

/**
 * False when something was changed, removed or moved since the build, or nothing was built.
 *
 * @returns {boolean}
 */
export function isBuilt() {
  try {
    const { folder, inputs } = JSON.parse(readFileSync(join(FOLDER, 'dist', 'conductor', 'inputs.json'), 'utf8'));
    const isSame = ([path, mtimeMs, size]) => {
      const found = statSync(join(FOLDER, path));
      return found.mtimeMs === mtimeMs && found.size === size;
    };
    return folder === FOLDER && inputs.length > 0 && inputs.every(isSame);
  } catch {
    return false;
  }
}
