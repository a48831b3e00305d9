/** `npm run bench -- [name…] [--quick] [--json]`: ours beside peers and floors. See docs/benchmarks.md. */
import { availableParallelism } from 'node:os';
import { defineCommand, runMain } from 'citty';
import { renderReport } from './harness/report.ts';
import { BENCHMARKS } from './registry.ts';

const command = defineCommand({
  meta: {
    name: 'bench',
    description: `Puts ours beside peers and floors. Names: ${BENCHMARKS.map(({ name }) => name).join(', ')}; all without one.`,
  },
  args: {
    quick: { type: 'boolean', default: false, description: 'Small and short: shows that it runs' },
    json: { type: 'boolean', default: false, description: 'One JSON document instead of tables' },
  },
  async run({ args }) {
    const unknown = args._.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
    if (unknown.length > 0) throw new Error(`no such benchmark: ${unknown.join(', ')}`);
    const chosen = BENCHMARKS.filter(({ name }) => args._.length === 0 || args._.includes(name));
    const machine = `${availableParallelism()} processors, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
    const reports: object[] = [];
    if (!args.json) console.log(`${machine}${args.quick ? ', quick: figures mean nothing' : ''}`);
    for (const { name, what, run } of chosen) {
      if (!args.json) console.log(`\n=== ${name}: ${what}\n`);
      try {
        const report = await run({ quick: args.quick });
        if (args.json) reports.push({ name, what, ...report });
        else console.log(renderReport(report));
      } catch (error) {
        // The others are worth running all the same.
        console.error(`${name} failed:`, error);
        process.exitCode = 1;
      }
    }
    if (args.json) console.log(JSON.stringify({ machine, quick: args.quick, reports }, null, 2));
  },
});

await runMain(command);
