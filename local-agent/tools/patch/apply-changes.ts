/** Writes the planned changes of a patch. When one cannot be written, what was written before it is taken back. */
import type { Entry } from '../../host/entry.ts';
import { hasSameContent } from '../../host/entry.ts';
import { FileError } from '../../host/roots.ts';
import { removeEntry, writeEntry } from '../../host/write-file.ts';
import { Turns } from '../../lib/turns.ts';
import type { ToolContext } from '../tool.ts';
import type { Change } from './plan-patch.ts';

/** The order in which changes are made: what is in the way of a new folder first, then what is written, then the rest. */
export function inOrder(changes: readonly Change[]): Change[] {
  const written = changes.filter(({ after }) => after !== null);
  const removed = changes.filter(({ after }) => after === null);
  const isInTheWay = ({ path }: Change) => written.some((change) => change.path.startsWith(`${path}/`));
  return [...removed.filter(isInTheWay), ...written, ...removed.filter((change) => !isInTheWay(change))];
}

function applyChange({ path, before, after }: Change, context: ToolContext): void {
  const { roots, newTemporaryName, keeper } = context;
  const keepUnchanged: typeof keeper = (found) => {
    if (!hasSameContent(found.entry, before))
      throw new FileError('changed', `${path} has changed meanwhile; nothing is patched`);
    keeper(found);
  };
  if (after === null) {
    if (before !== null) removeEntry(roots, path, { keep: keepUnchanged });
    return;
  }
  const temporary = newTemporaryName();
  const options = { overwrite: before !== null, createParents: true, ofLink: true, temporary, keep: keepUnchanged };
  writeEntry(roots, path, after, options);
}

function restore(path: string, before: Entry | null, { roots, newTemporaryName }: ToolContext): void {
  const temporary = newTemporaryName();
  const options = { overwrite: true, createParents: true, ofLink: true, restores: true, temporary };
  if (before === null) removeEntry(roots, path, { restores: true });
  else writeEntry(roots, path, before, options);
}

/** @throws FileError; then every file is as it was, or the message names those that are not */
export async function applyChanges(changes: readonly Change[], context: ToolContext): Promise<void> {
  const turns = new Turns();
  const applied: Change[] = [];
  try {
    for (const change of inOrder(changes)) {
      await turns.pass();
      applyChange(change, context);
      applied.push(change);
    }
  } catch (error) {
    const left: Change[] = [];
    for (const change of applied.reverse()) {
      await turns.pass();
      try {
        restore(change.path, change.before, context);
      } catch {
        left.push(change);
      }
    }
    if (left.length === 0 || !(error instanceof FileError)) throw error;
    const paths = left.map(({ path }) => path).join(', ');
    const hint = 'conductor undo of this instruction restores them';
    throw new FileError(error.code, `${error.message}; these files could not be put back: ${paths}; ${hint}`);
  }
}
