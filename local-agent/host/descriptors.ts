/** Whether this process can open files. Asked before an instruction starts, as a tool that cannot would fail for nothing. */
import { closeSync, openSync } from 'node:fs';
import { hasErrorCode } from '../lib/errno.ts';

/** What one tool may need at once: a file with its folder and its temporary, or the pipes of a program. */
const NEEDED = 16;

export function hasFreeDescriptors(needed = NEEDED): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < needed) opened.push(openSync('/dev/null', 'r'));
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EMFILE', 'ENFILE')) return false;
    throw error;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
