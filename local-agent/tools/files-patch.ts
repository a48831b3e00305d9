/**
 * `files/patch`: applies a unified diff to one or more files, by the rules of git. All new contents are computed before any
 * file is written, and each file must still have the content that its part was computed from.
 */
import { readEntry } from '../host/entry.ts';
import { realPathOfEntry } from '../host/place.ts';
import { applyChanges } from './patch/apply-changes.ts';
import { parsePatch } from './patch/parse-patch.ts';
import { PatchError } from './patch/patch-error.ts';
import type { PatchedFiles } from './patch/plan-patch.ts';
import { planPatch } from './patch/plan-patch.ts';
import { Work } from './patch/work.ts';
import type { ToolContext, ToolHandler } from './tool.ts';
import { clipToOutput, failure, fileOutcome, stoppedOutcome, success, timeLimited } from './tool.ts';

/** The files that a patch names, without git's `a/` and `b/`; empty when it is not a patch. */
export function patchedPaths(patch: string): string[] {
  try {
    return parsePatch(patch).flatMap((part) => ('from' in part ? [part.from, part.path] : [part.path]));
  } catch (error) {
    if (error instanceof PatchError) return [];
    throw error;
  }
}

function filesOf({ roots }: ToolContext, cwd: string | undefined): PatchedFiles {
  return {
    resolve: (name) => roots.resolve(name, cwd),
    realPath: (path) => realPathOfEntry(path),
    read: (path, { ofLink }) => readEntry(roots, path, { anyNames: false, ofLink }),
  };
}

export const patchFiles: ToolHandler<'conductor::files/patch'> = async (params, context) => {
  const signal = timeLimited(context);
  try {
    const { redact } = context;
    const parts = parsePatch(params.patch);
    const { changes, report } = await planPatch(parts, filesOf(context, params.cwd), {
      work: new Work(signal),
      redact,
    });
    await applyChanges(changes, context);
    const { text, clipped } = clipToOutput(context.redact(report.map((line) => `${line}\n`).join('')));
    return success(text, clipped);
  } catch (error) {
    if (signal.aborted) return stoppedOutcome(signal);
    if (error instanceof PatchError) return failure('failed', error.code, context.redact(error.message));
    return fileOutcome(error);
  }
};
