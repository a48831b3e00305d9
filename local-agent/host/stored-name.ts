/**
 * Names in another Unicode form. `é` can be one character or two (NFC and NFD); macOS and some archives write two, chats
 * write one. Linux takes these for different names, people do not.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join, parse, sep } from 'node:path';

const ASCII = /^\p{ASCII}*$/u;

/** The name in a folder that is the same but for its Unicode form; null when there is none, or more than one. */
function storedName(folder: string, name: string): string | null {
  const form = name.normalize('NFC');
  const [found, ...others] = readdirSync(folder).filter((other) => other.normalize('NFC') === form);
  return found !== undefined && others.length === 0 ? found : null;
}

/**
 * The path as it is stored, when it differs from the given one only by the Unicode form of some names; null when nothing
 * is stored so, or when it is not clear what is meant.
 */
export function storedPath(path: string): string | null {
  if (ASCII.test(path)) return null;
  const { root } = parse(path);
  let stored = root;
  try {
    for (const name of path.slice(root.length).split(sep).filter(Boolean)) {
      const isExact = lstatSync(join(stored, name), { throwIfNoEntry: false }) !== undefined;
      const found = isExact || ASCII.test(name) ? name : storedName(stored, name);
      if (found === null || (!isExact && found === name)) return null;
      stored = join(stored, found);
    }
  } catch {
    // A folder that cannot be read.
    return null;
  }
  return stored;
}
