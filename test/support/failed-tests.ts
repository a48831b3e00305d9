/**
 * Reads JSON reports of vitest. `list FIRST SECOND`: the failed tests, so compact that the end of a long record names all
 * of them; SECOND is the report of a second run of the files that failed, and may be absent. `files FIRST`: these files.
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { z } from 'zod';

const MAX_LINES = 40;
const MAX_LINE_CHARS = 200;

const ReportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()),
        }),
      ),
    }),
  ),
});

interface Failure {
  name: string;
  error: string;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

/** The failed tests in the order of the report; a file that failed apart from its tests counts as one. */
function failuresOf(report: unknown, root: string): Failure[] {
  return ReportSchema.parse(report).testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const ofTests = failed.map(({ ancestorTitles, title, failureMessages }) => ({
      name: [file, ...ancestorTitles.filter((one) => one !== ''), title].join(' > '),
      error: firstLine(failureMessages[0] ?? ''),
    }));
    const ofFile = status === 'failed' && (message !== '' || failed.length === 0);
    return ofFile ? [{ name: file, error: firstLine(message) }, ...ofTests] : ofTests;
  });
}

/** The files with a failed test, or that failed apart from their tests. */
export function failedFiles(report: unknown, root: string): string[] {
  const failed = ReportSchema.parse(report).testResults.filter(({ status }) => status === 'failed');
  return failed.map(({ name }) => relative(root, name));
}

function block(heading: string, failures: Failure[]): string[] {
  if (failures.length === 0) return [];
  const isShort = failures.length * 2 < MAX_LINES;
  const lines = failures.flatMap(({ name, error }) => (isShort ? [`× ${name}`, `    ${error}`] : [`× ${name}`]));
  const shown = lines.length < MAX_LINES ? lines : lines.slice(0, MAX_LINES - 2);
  const left = lines.length - shown.length;
  const more = left === 0 ? [] : [`… and ${left} more`];
  return [`${heading} (${failures.length}):`, ...shown, ...more].map((line) => line.slice(0, MAX_LINE_CHARS));
}

/**
 * A heading, then each test with the first line of its error; without the errors when there are too many lines. A test that
 * failed in the first run and not in the second is listed as unstable.
 */
export function failedTestLines(first: unknown, second: unknown, root: string): string[] {
  const before = failuresOf(first, root);
  if (second === null) return block('Failed tests', before);
  const failures = failuresOf(second, root);
  const stillFailing = new Set(failures.map(({ name }) => name));
  const unstable = before.filter(({ name }) => !stillFailing.has(name));
  return [
    ...block('Unstable tests: failed, then passed in a second run', unstable),
    ...block('Failed tests', failures),
  ];
}

function readReport(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}

if (import.meta.main) {
  const [wanted, first = '', second = ''] = process.argv.slice(2);
  const root = process.cwd();
  const lines =
    wanted === 'files'
      ? failedFiles(readReport(first), root)
      : failedTestLines(readReport(first), readReport(second), root);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
