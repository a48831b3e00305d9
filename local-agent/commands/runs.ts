/** `runs`: attempts at steps. `steps`: what a person decides about one that waits for a person. */
import { Option } from 'commander';
import { RunDetailSchema } from '../../schema/contracts/runs.ts';
import { STEP_RESOLUTIONS, StepResolveBodySchema, StepResolvedSchema } from '../../schema/contracts/tasks.ts';
import { connectionOptions, valueOption } from '../config/flags.ts';
import { artifactsOf } from '../runs/artifacts.ts';
import type { CliCommand } from './command.ts';
import { configOf, idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { showCommand } from './lists.ts';
import { present, printFields, printTable, printText, withMoments } from './output.ts';
import { runPatch } from './run-patch.ts';

const MAX_ARTIFACTS = 100;

function printArtifacts(deps: CommandDeps, found: ReturnType<typeof artifactsOf>): void {
  if (found.length === 0) return;
  const rows = found.slice(0, MAX_ARTIFACTS).map(({ path, bytes }) => [path, bytes]);
  printTable(deps, ['ARTIFACT', 'BYTES'], rows, '');
  if (found.length > MAX_ARTIFACTS) deps.print(`and ${found.length - MAX_ARTIFACTS} more`);
}

const show = showCommand({
  argument: 'run',
  idForm: 'run_…',
  about: 'show one run: where and how it ran, and how it ended',
  examples: ['runs show RUN_ID'],
  path: (id) => `/v1/runs/${id}`,
  schema: RunDetailSchema,
  print: (deps, { summary, error_text, ...fields }, args) => {
    const folder = `runs/${fields.task_id}/${fields.run_id}, below the root of ${fields.controller_id}`;
    printFields(deps, withMoments({ ...fields, folder }));
    if (summary !== null) printText(deps, 'summary', summary);
    if (error_text !== null) printText(deps, 'error_text', error_text);
    printArtifacts(deps, artifactsOf(configOf(args, deps, connectionOptions).config.runsDir, fields));
  },
});

export const runs: readonly CliCommand[] = [show, runPatch];

const resolve: CliCommand = {
  name: 'resolve',
  about: 'decide about a step that waits for a person',
  examples: ["steps resolve STEP_ID --outcome done --note 'reviewed'"],
  argument: idArgument('step', 'step_…'),
  options: [
    ...edgeOptions,
    new Option('--outcome <outcome>', 'what the step counts as').choices(STEP_RESOLUTIONS).makeOptionMandatory(),
    valueOption('--note <text>', 'why; the steps after it and the task show it'),
  ],
  run: async (args, deps) => {
    const body = StepResolveBodySchema.safeParse({ outcome: args.outcome, note: optionalText(args, 'note') });
    if (!body.success) throw new UsageError('--note: say why, in up to 2,000 characters');
    const path = `/v1/steps/${encodeURIComponent(String(args.step))}/resolve`;
    const resolved = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'POST', path, body: body.data, schema: StepResolvedSchema }),
    );
    const { step_id, status, task_id, task_status } = resolved;
    present(args, deps, resolved, () => deps.print(`${step_id} is ${status}, and ${task_id} is ${task_status}`));
    return EXIT.fine;
  },
};

export const steps: readonly CliCommand[] = [resolve];
