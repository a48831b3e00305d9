/**
 * Whether an approved program would find other files than when it was asked about. An approval binds the files that the
 * call names; a program opens others by itself, such as `Makefile`, an imported module or a sourced script. So what this
 * host's own tools have changed since the question was asked makes the approval void, in any root: a program follows
 * symbolic links and `..` out of its folder. What a person changes by hand does not, unless a program has run meanwhile.
 */
import type { ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { findTool, TOOLS } from '../../schema/contracts/tools.ts';
import type { FolderChange } from '../host/changed-files.ts';
import { realPathOfEntry } from '../host/place.ts';
import type { Roots } from '../host/roots.ts';
import { FileError } from '../host/roots.ts';
import { patchedPaths } from '../tools/files-patch.ts';

/** A call whose effect may have happened since the question was asked. */
export interface Effect {
  instruction_id: string;
  name: string;
  params: Readonly<Record<string, unknown>>;
}

/** Host tools that change no file. One that is not listed is taken for one that does. */
const READS: readonly ToolName[] = ['conductor::files/read', 'conductor::files/list', 'conductor::files/search'];

function mayChangeFiles({ name }: Effect): boolean {
  const tool = findTool(name);
  return tool !== null && TOOLS[tool].where === 'host' && !READS.includes(tool);
}

/** The file that a call of a file tool has changed, or the first of them; null when its params name none. */
function changedPath({ name, params }: Effect, roots: Roots): string | null {
  const cwd = typeof params.cwd === 'string' ? params.cwd : undefined;
  const path =
    name === 'conductor::files/patch'
      ? patchedPaths((params as ToolParams<'conductor::files/patch'>).patch).at(0)
      : params.path;
  if (typeof path !== 'string') return null;
  try {
    return realPathOfEntry(roots.resolve(path, cwd));
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}

/**
 * Why an approval of a program is void; null when it is not. `look` is asked for the changes below each root only when a
 * program has run meanwhile, since what a program changed is not known otherwise.
 */
export async function driftOf(
  happened: readonly Effect[],
  roots: Roots,
  look: (folder: string) => Promise<FolderChange>,
): Promise<string | null> {
  const effects = happened.filter(mayChangeFiles);
  const fileTool = effects.find((effect) => effect.name !== 'conductor::exec');
  if (fileTool !== undefined) {
    const { name, instruction_id } = fileTool;
    return `${name} (${instruction_id}) has changed ${changedPath(fileTool, roots) ?? 'files'}`;
  }
  const program = effects.at(0);
  if (program === undefined) return null;
  const ran = `a program ran meanwhile (${program.instruction_id})`;
  for (const folder of roots.folders) {
    const change = await look(folder);
    if (change.found === 'changed') return `${ran} and ${change.path} has changed`;
    if (change.found === 'unknown') return `${ran}; whether it changed a file is not known: ${change.why}`;
  }
  return null;
}
