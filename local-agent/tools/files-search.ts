/**
 * `files/search`: the lines that match a text or a regular expression, as `path:line: text`, and notes on what was passed
 * over.
 */
import type { ToolParams } from '../../schema/contracts/tools.ts';
import { onOneLine } from '../host/skips.ts';
import { FileWalk } from './file-walk.ts';
import { RegexSearch } from './regex-search.ts';
import type { FindMatches } from './text-search.ts';
import { plainFinder, shownMatches } from './text-search.ts';
import type { ToolContext, ToolHandler, ToolOutcome } from './tool.ts';
import { failure, fileOutcome, timeLimited } from './tool.ts';

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
  const asPlain = !params.regex && REGEX_LIKE.test(params.text);
  const hint = asPlain ? '; the text was sought as it is, regex: true reads it as a regular expression' : '';
  return [`[nothing found in ${files} file${files === 1 ? '' : 's'}${hint}]`];
}

const TOO_SLOW = failure(
  'failed',
  'timeout',
  'text: the regular expression takes too much time or memory; avoid repetitions within repetitions such as (a+)+',
);

/** Searches the files of the walk with `find`, until `isHopeless`. */
async function search(
  params: SearchParams,
  context: ToolContext,
  walk: FileWalk,
  find: FindMatches,
  isHopeless: () => boolean,
): Promise<ToolOutcome> {
  const limit = params.limit ?? LIMIT;
  const lines: string[] = [];
  let matches = 0;
  let files = 0;
  for await (const file of walk.files()) {
    const read = file.text(MAX_FILE_BYTES);
    if ('skipped' in read) {
      walk.skips.add(read.skipped, file.path);
      continue;
    }
    // Redacted before lines are cut, so that no part of a secret remains at a cut.
    const text = plainBreaks(context.redact(read.text));
    const found = await find(text, limit - matches + 1);
    if (isHopeless()) return TOO_SLOW;
    if (found === null) {
      walk.skips.add('slow', file.path);
      continue;
    }
    files += 1;
    for (const shown of shownMatches(text, found.slice(0, limit - matches))) {
      for (const line of shown) lines.push(`${onOneLine(file.path)}:${line}\n`);
    }
    matches += found.length;
    if (matches > limit) break;
  }
  const more = matches > limit;
  return walk.outcome(lines, notesOn(params, Math.min(matches, limit), files, more), more);
}

export const searchFiles: ToolHandler<'conductor::files/search'> = async (params, context) => {
  const signal = timeLimited(context);
  const ignoreCase = params.ignore_case ?? false;
  let regex: RegexSearch | null = null;
  try {
    if (params.regex) regex = new RegexSearch(params.text, ignoreCase, signal);
    const walk = new FileWalk(params, context, signal);
    const find = regex?.find ?? plainFinder(plainBreaks(params.text), ignoreCase, walk.turns);
    return await search(params, context, walk, find, () => regex?.isTooSlow ?? false);
  } catch (error) {
    return fileOutcome(error);
  } finally {
    await regex?.close();
  }
};
