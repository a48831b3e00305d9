/**
 * Names in another Unicode form. `é` can be one character or two (NFC and NFD); macOS and some archives write two, chats
 * write one. Linux takes these for different names, people do not.
 */
import { readdirSync } from 'node:fs';

const ASCII = /^\p{ASCII}*$/u;

/**
 * The name in a folder that differs from a missing one only by its Unicode form; null when nothing is stored so, when it
 * is not clear what is meant, or when the folder cannot be read.
 */
export function storedName(folder: string, name: string): string | null {
  if (ASCII.test(name)) return null;
  const form = name.normalize('NFC');
  try {
    const [found, ...others] = readdirSync(folder).filter((other) => other.normalize('NFC') === form);
    return found === undefined || found === name || others.length > 0 ? null : found;
  } catch {
    return null;
  }
}
