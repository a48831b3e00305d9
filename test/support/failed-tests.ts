/** Prints the failed tests of a JSON report of vitest, so compact that the end of a long record names all of them. */
import { readFileSync } from 'node:fs';
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

/** A heading, then each test with the first line of its error; without the errors when there are too many lines. */
export function failedTestLines(report: unknown, root: string): string[] {
  const failures = failuresOf(report, root);
  if (failures.length === 0) return [];
  const isShort = failures.length * 2 < MAX_LINES;
  const lines = failures.flatMap(({ name, error }) => (isShort ? [`× ${name}`, `    ${error}`] : [`× ${name}`]));
  const shown = lines.length < MAX_LINES ? lines : lines.slice(0, MAX_LINES - 2);
  const left = lines.length - shown.length;
  const more = left === 0 ? [] : [`… and ${left} more`];
  return [`Failed tests (${failures.length}):`, ...shown, ...more].map((line) => line.slice(0, MAX_LINE_CHARS));
}

if (import.meta.main) {
  const [path = ''] = process.argv.slice(2);
  const lines = failedTestLines(JSON.parse(readFileSync(path, 'utf8')), process.cwd());
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
