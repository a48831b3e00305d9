/**
 * Whether an approved program would find other files than when it was asked about. An approval binds the files that the
 * call names; a program opens others by itself, such as `Makefile`, an imported module or a sourced script. So what this
 * host's own tools have changed below the working folder since the question was asked makes the approval void. What a
 * person changes by hand does not, unless a tool has run meanwhile.
 */
import { isAbsolute, relative, sep } from 'node:path';
import type { ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { findTool, TOOLS } from '../../schema/contracts/tools.ts';
import type { FolderChange } from '../host/changed-files.ts';
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

function isBelow(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below === '' || (!isAbsolute(below) && below !== '..' && !below.startsWith(`..${sep}`));
}

/** The files that a call of a file tool has changed. */
function pathsOf({ name, params }: Effect, roots: Roots): string[] {
  const cwd = typeof params.cwd === 'string' ? params.cwd : undefined;
  const written =
    name === 'conductor::files/patch'
      ? patchedPaths((params as ToolParams<'conductor::files/patch'>).patch)
      : [params.path].filter((path) => typeof path === 'string');
  return written.flatMap((path) => {
    try {
      return [roots.resolve(path, cwd)];
    } catch (error) {
      if (error instanceof FileError) return [];
      throw error;
    }
  });
}

/**
 * Why an approval of a program that runs in `folder` is void; null when it is not. `look` is asked for the changes below a
 * folder only when a program has run meanwhile, since what a program changed is not known otherwise.
 */
export async function driftOf(
  folder: string,
  happened: readonly Effect[],
  roots: Roots,
  look: (folder: string) => Promise<FolderChange>,
): Promise<string | null> {
  const effects = happened.filter(mayChangeFiles);
  for (const effect of effects) {
    const changed = pathsOf(effect, roots).find((path) => isBelow(folder, path));
    if (changed !== undefined) return `${effect.name} (${effect.instruction_id}) has changed ${changed}`;
  }
  const program = effects.find((effect) => effect.name === 'conductor::exec');
  if (program === undefined) return null;
  const change = await look(folder);
  if (change.found === 'nothing') return null;
  const ran = `a program ran meanwhile (${program.instruction_id})`;
  return change.found === 'changed'
    ? `${ran} and ${change.path} has changed`
    : `${ran}; whether it changed a file is not known: ${change.why}`;
}
