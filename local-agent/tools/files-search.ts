/** `files/search`: the lines that contain a text, as `path:line: text`. Large and binary files are skipped. */
import { walkFiles } from '../host/walk.ts';
import { compileGlob } from './glob.ts';
import type { ToolHandler } from './tool.ts';
import { clipToOutput, fileOutcome, stoppedOutcome, success, timeLimited } from './tool.ts';

const LIMIT = 200;
const MAX_FILE_BYTES = 2 * 1024 * 1024;
const MAX_LINE_CHARS = 300;

function* matchingLines(text: string, sought: string, ignoreCase: boolean): Generator<string> {
  const wanted = ignoreCase ? sought.toLowerCase() : sought;
  const searched = ignoreCase ? text.toLowerCase() : text;
  // Lower case can change the length of a text; then every line is compared by itself.
  if (searched.length === text.length && !searched.includes(wanted)) return;
  for (const [index, line] of text.split('\n').entries()) {
    if (!(ignoreCase ? line.toLowerCase() : line).includes(wanted)) continue;
    const cut = line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS).toWellFormed()}…` : line;
    yield `${index + 1}: ${cut.replace(/\r$/, '')}`;
  }
}

export const searchFiles: ToolHandler<'conductor::files/search'> = async (params, context) => {
  const { roots, redact } = context;
  try {
    const matches = params.pattern === undefined ? () => true : compileGlob(params.pattern);
    const limit = params.limit ?? LIMIT;
    const found: string[] = [];
    let more = false;
    const signal = timeLimited(context);
    const options = { includeIgnored: params.include_ignored ?? false, signal };
    for await (const file of walkFiles(roots, roots.resolve(params.cwd ?? '.'), options)) {
      if (!matches(file.path)) continue;
      // Redacted before lines are cut, so that no part of a secret remains at a cut.
      const text = redact(file.text(MAX_FILE_BYTES) ?? '');
      for (const line of matchingLines(text, params.text, params.ignore_case ?? false)) {
        more = found.length >= limit;
        if (more) break;
        found.push(`${file.path}:${line}\n`);
      }
      if (more) break;
    }
    if (signal.aborted) return stoppedOutcome(signal);
    const { text, clipped } = clipToOutput(found.join(''));
    return success(text, more || clipped);
  } catch (error) {
    return fileOutcome(error);
  }
};
