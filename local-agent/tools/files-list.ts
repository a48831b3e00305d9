/** `files/list`: the files below a folder that match a glob, one per line, and notes on what was passed over. */
import { onOneLine } from '../host/skips.ts';
import { FileWalk } from './file-walk.ts';
import type { ToolHandler } from './tool.ts';
import { fileOutcome, timeLimited } from './tool.ts';

const LIMIT = 1_000;
const SHOWN_PATTERN_CHARS = 200;

export const listFiles: ToolHandler<'conductor::files/list'> = async (params, context) => {
  try {
    const limit = params.limit ?? LIMIT;
    const signal = timeLimited(context);
    const walk = new FileWalk(params, context, signal);
    const found: string[] = [];
    let more = false;
    for await (const { path } of walk.files()) {
      more = found.length >= limit;
      if (more) break;
      found.push(context.redact(`${onOneLine(path)}\n`));
    }
    const notes = more ? [`[more than ${limit} files match; limit or a narrower glob shows others]`] : [];
    if (found.length === 0) notes.push(`[no file matches ${onOneLine(params.pattern.slice(0, SHOWN_PATTERN_CHARS))}]`);
    return walk.outcome(found, notes, more);
  } catch (error) {
    return fileOutcome(error);
  }
};
