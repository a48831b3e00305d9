/**
 * `files/search`: the lines that match a text or a regular expression, as `path:line: text`, and notes on what was passed
 * over.
 */
import type { ToolParams } from '../../schema/contracts/tools.ts';
import { onOneLine } from '../host/skips.ts';
import { FileWalk } from './file-walk.ts';
import type { FindMatches } from './text-search.ts';
import { plainFinder, shownMatches } from './text-search.ts';
import type { ToolHandler } from './tool.ts';
import { fileOutcome, stoppedOutcome, timeLimited } from './tool.ts';

type SearchParams = ToolParams<'conductor::files/search'>;

const LIMIT = 200;
const MAX_FILE_BYTES = 2 * 1024 * 1024;
/** Characters that make a text look like a regular expression. */
const REGEX_LIKE = /\\[bdsw.()[\]]|\.[*+]|[)\]][*+?]|\w\|\w|^\^|\$$/;

/** Line breaks as `\n`, so that a text of several lines is found in files of every system. */
function plainBreaks(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

function notesOn(params: SearchParams, matches: number, files: number, more: boolean): string[] {
  if (more) return [`[more than ${matches} matches; limit or a narrower pattern shows others]`];
  if (matches > 0) return [];
  const hint = REGEX_LIKE.test(params.text) ? '; it was sought as plain text, not as a regular expression' : '';
  return [`[nothing found in ${files} file${files === 1 ? '' : 's'}${hint}]`];
}

export const searchFiles: ToolHandler<'conductor::files/search'> = async (params, context) => {
  try {
    const limit = params.limit ?? LIMIT;
    const signal = timeLimited(context);
    const walk = new FileWalk(params, context, signal);
    const find: FindMatches = plainFinder(plainBreaks(params.text), params.ignore_case ?? false, walk.turns);
    const lines: string[] = [];
    let matches = 0;
    let files = 0;
    for await (const file of walk.files()) {
      const read = file.text(MAX_FILE_BYTES);
      if ('skipped' in read) {
        walk.skips.add(read.skipped, file.path);
        continue;
      }
      files += 1;
      // Redacted before lines are cut, so that no part of a secret remains at a cut.
      const text = plainBreaks(context.redact(read.text));
      const found = await find(text, limit - matches + 1);
      for (const shown of shownMatches(text, found.slice(0, limit - matches))) {
        for (const line of shown) lines.push(`${onOneLine(file.path)}:${line}\n`);
      }
      matches += found.length;
      if (matches > limit || signal.aborted) break;
    }
    if (signal.aborted) return stoppedOutcome(signal);
    const more = matches > limit;
    return walk.outcome(lines, notesOn(params, Math.min(matches, limit), files, more), more);
  } catch (error) {
    return fileOutcome(error);
  }
};
