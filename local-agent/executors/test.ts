/** `test`: a command whose exit code decides, and whose output is kept as a checkpoint with the counts. */
import { junitCounts } from './counts/junit.ts';
import { SummaryLines, summaryCounts } from './counts/summary-lines.ts';
import { TapLines } from './counts/tap.ts';
import type { TestCounts } from './counts/test-counts.ts';
import { countsText } from './counts/test-counts.ts';
import type { AgentView, EndedStep, Executor, OutputReader } from './executor.ts';
import { failed, launches, succeeded } from './executor.ts';
import { commandLine, endText } from './shell.ts';

const NOTHING_TESTED = 'nothing was tested: no test command is known for this repository; give the step argv or script';

/**
 * The test command of a repository that names none: what its build file is for. Go prints its tests with -v only, and pytest
 * exits with 5 when there are none. Only make itself knows the targets of a Makefile. Nothing is tested where it says that
 * `test` is none, or knows it only as a file or folder; with any other fault it runs, so that the step fails with what it says.
 * `-r`: by its own rules it would make `test` of a file `test.sh`.
 */
const OWN_TESTS = `if [ -f package.json ] && grep -q '"test"[[:space:]]*:' package.json; then exec npm test
elif [ -f Cargo.toml ]; then exec cargo test
elif [ -f go.mod ]; then exec go test -v ./...
elif [ -f pyproject.toml ] || [ -f pytest.ini ] || [ -f setup.cfg ]; then
  python3 -m pytest
  code=$?
  [ $code -eq 5 ] || exit $code
fi
if [ -f GNUmakefile ] || [ -f makefile ] || [ -f Makefile ]; then
  case "$([ -e test ] && echo exists; LC_ALL=C make -rn test 2>&1)" in
  *"make: *** No rule to make target "?"test'."* | *"make: don't know how to make test"*) ;;
  exists*"make: Nothing to be done for "?"test'.") ;;
  *"make: Nothing to be done for "?"test'." | *"make: "?"test' is up to date.")
    echo "make test has nothing to do: give its target commands, and name it and what it needs as .PHONY" >&2
    exit 1 ;;
  *) exec make test ;;
  esac
fi
echo "${NOTHING_TESTED}" >&2`;

const NO_VIEW: AgentView = { sessionId: null, progress: null, usage: null };

/** Counts the tests in the whole standard output, of which only the end is kept. */
class CountReader implements OutputReader {
  readonly #tap = new TapLines();
  readonly #summaries = new SummaryLines();

  line(line: string): void {
    this.#tap.line(line);
    this.#summaries.line(line);
  }

  view(): AgentView {
    return NO_VIEW;
  }

  counts(): TestCounts | null {
    return this.#tap.counts() ?? this.#summaries.counts();
  }
}

function countsOf({ report, reader, stderrTail }: EndedStep): TestCounts | null {
  const fromReport = report === null ? null : junitCounts(report);
  const fromOutput = reader instanceof CountReader ? reader.counts() : null;
  return fromReport ?? fromOutput ?? summaryCounts(stderrTail);
}

function withoutCounts({ stderrTail }: EndedStep): string {
  return stderrTail.trimEnd().endsWith(NOTHING_TESTED) ? NOTHING_TESTED : 'no counts were found in the output';
}

export const test: Executor<'test'> = {
  prepare: (input) => {
    const hasCommand = input.argv !== undefined || input.script !== undefined;
    return launches({ argv: hasCommand ? commandLine(input) : ['/bin/sh', '-c', OWN_TESTS], cwd: input.cwd ?? '' });
  },
  reader: () => new CountReader(),
  judge: (end) => {
    const counts = countsOf(end);
    const text = counts === null ? withoutCounts(end) : countsText(counts);
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
