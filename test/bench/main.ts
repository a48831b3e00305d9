/** `npm run bench -- [name…] [--quick] [--json]`: ours beside peers and floors. See docs/benchmarks.md. */
import { availableParallelism } from 'node:os';
import { Argument, program } from 'commander';
import { renderReport } from './harness/report.ts';
import { BENCHMARKS } from './registry.ts';

async function runBenchmarks(names: readonly string[], options: { quick: boolean; json: boolean }): Promise<void> {
  const { quick, json } = options;
  const chosen = BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const machine = `${availableParallelism()} processors, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  const reports: object[] = [];
  if (!json) console.log(`${machine}${quick ? ', quick: figures mean nothing' : ''}`);
  for (const { name, what, run } of chosen) {
    if (!json) console.log(`\n=== ${name}: ${what}\n`);
    try {
      const report = await run({ quick });
      if (json) reports.push({ name, what, ...report });
      else console.log(renderReport(report));
    } catch (error) {
      // A failed benchmark does not stop the others.
      console.error(`${name} failed:`, error);
      process.exitCode = 1;
    }
  }
  if (json) console.log(JSON.stringify({ machine, quick, reports }, null, 2));
}

await program
  .name('npm run bench --')
  .description('Runs benchmarks of the conductor beside peers and floors; all of them when none is named.')
  .addArgument(new Argument('[names...]', 'benchmarks to run').choices(BENCHMARKS.map(({ name }) => name)))
  .option('--quick', 'run small and short, to show that the benchmarks work', false)
  .option('--json', 'print one JSON document instead of tables', false)
  .action(runBenchmarks)
  .parseAsync();
