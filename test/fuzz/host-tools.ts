/**
 * `npm run fuzz -- [name…] [--minutes N] [--seed N]`: runs the fuzzers of the host tools in turn for a given time. A signal
 * ends it earlier; it prints what ran in either case.
 */
import { Argument, InvalidArgumentError, program } from 'commander';
import type { Fuzzer } from './fuzzer.ts';
import { CaseReport } from './fuzzer.ts';
import { FUZZERS } from './registry.ts';

const MINUTE_MS = 60_000;
const MAX_SILENCE_MS = 250;
const SHOWN_FAILURES = 20;

interface Tally {
  fuzzer: Fuzzer;
  report: CaseReport;
  cases: number;
  failures: string[];
}

function toNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('not a number of at least 0');
  return value;
}

async function runCase(tally: Tally, seed: number): Promise<void> {
  tally.cases += 1;
  try {
    await tally.fuzzer.run(seed, tally.report);
  } catch (error) {
    tally.failures.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
    console.error(`${tally.fuzzer.name}: a difference at seed ${seed}`);
  }
}

function print({ fuzzer, report, cases, failures }: Tally): void {
  const counts = [...report.counts].map(([outcome, count]) => `${outcome} ${count}`).join(', ');
  console.log(`\n${fuzzer.name}: ${cases} cases; ${counts}`);
  console.log(`  longest silence of the event loop: ${report.longestSilenceMs.toFixed(1)} ms of processor time`);
  console.log(`  differences: ${failures.length}`);
  for (const failure of failures.slice(0, SHOWN_FAILURES)) console.log(`  ${failure}`);
}

async function fuzz(names: readonly string[], options: { minutes: number; seed: number }): Promise<void> {
  const chosen = FUZZERS.filter(({ name }) => names.length === 0 || names.includes(name));
  const tallies = chosen.map((fuzzer): Tally => ({ fuzzer, report: new CaseReport(), cases: 0, failures: [] }));
  const endAt = performance.now() + options.minutes * MINUTE_MS;
  let isStopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isStopped = true;
    });
  }
  let seed = options.seed;
  do {
    for (const tally of tallies) await runCase(tally, seed);
    seed += 1;
  } while (!isStopped && performance.now() < endAt);
  for (const tally of tallies) print(tally);
  const isSilent = tallies.some(({ report }) => report.longestSilenceMs > MAX_SILENCE_MS);
  if (isSilent || tallies.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

await program
  .name('npm run fuzz --')
  .description('Compares the host tools with reference programs on random cases; all fuzzers when none is named.')
  .addArgument(new Argument('[names...]', 'fuzzers to run').choices(FUZZERS.map(({ name }) => name)))
  .option('--minutes <number>', 'how long to run; one case of each fuzzer at least', toNumber, 1)
  .option('--seed <number>', 'the seed of the first case; each later case takes the next', toNumber, 1)
  .action(fuzz)
  .parseAsync();
