/** `test`: a command whose exit code decides, and whose output is kept as a checkpoint with the counts. */
import { junitCounts } from './counts/junit.ts';
import { lastLineCounts } from './counts/last-lines.ts';
import { tapCounts } from './counts/tap.ts';
import type { TestCounts } from './counts/test-counts.ts';
import { countsText } from './counts/test-counts.ts';
import type { EndedStep, Executor } from './executor.ts';
import { failed, launches, succeeded } from './executor.ts';
import { commandLine, endText } from './shell.ts';

/** The test command of a repository that names none: what its build file is for. */
const OWN_TESTS = `if [ -f package.json ]; then exec npm test
elif [ -f Cargo.toml ]; then exec cargo test
elif [ -f go.mod ]; then exec go test ./...
elif [ -f pyproject.toml ] || [ -f pytest.ini ] || [ -f setup.cfg ]; then exec python3 -m pytest
elif [ -f Makefile ]; then exec make test
fi
echo "no test command was found: give the step argv or script" >&2
exit 127`;

function countsOf({ report, stdoutTail, stderrTail }: EndedStep): TestCounts | null {
  const fromReport = report === null ? null : junitCounts(report);
  return fromReport ?? tapCounts(stdoutTail) ?? lastLineCounts(stdoutTail) ?? lastLineCounts(stderrTail);
}

export const test: Executor<'test'> = {
  prepare: (input) => {
    const hasCommand = input.argv !== undefined || input.script !== undefined;
    return launches({ argv: hasCommand ? commandLine(input) : ['/bin/sh', '-c', OWN_TESTS], cwd: input.cwd ?? '' });
  },
  judge: (end) => {
    const counts = countsOf(end);
    const text = counts === null ? 'no counts were found in the output' : countsText(counts);
    if (end.exit.exit_code === 0) return succeeded(text);
    return failed('tests_failed', counts === null ? `the tests failed: ${endText(end)}` : `${text}; ${endText(end)}`);
  },
  testOutput: (end) => {
    const counts = countsOf(end);
    const { exit_code, signal } = end.exit;
    const head = { exit_code, signal, counts };
    return `${JSON.stringify(head)}\n\n${end.stdoutTail}\n${end.stderrTail}`;
  },
};
