/** `files/list`: the files below a folder that match a glob, one per line. */
import { walkFiles } from '../host/walk.ts';
import { compileGlob } from './glob.ts';
import type { ToolHandler } from './tool.ts';
import { clipToOutput, fileOutcome, stoppedOutcome, success, timeLimited } from './tool.ts';

const LIMIT = 1_000;

export const listFiles: ToolHandler<'conductor::files/list'> = async (params, context) => {
  const { roots, redact } = context;
  try {
    const matches = compileGlob(params.pattern);
    const limit = params.limit ?? LIMIT;
    const found: string[] = [];
    let more = false;
    const signal = timeLimited(context);
    const options = { includeIgnored: params.include_ignored ?? false, signal };
    for await (const { path } of walkFiles(roots, roots.resolve(params.cwd ?? '.'), options)) {
      if (!matches(path)) continue;
      more = found.length >= limit;
      if (more) break;
      found.push(path);
    }
    if (signal.aborted) return stoppedOutcome(signal);
    const { text, clipped } = clipToOutput(redact(found.map((path) => `${path}\n`).join('')));
    return success(text, more || clipped);
  } catch (error) {
    return fileOutcome(error);
  }
};
