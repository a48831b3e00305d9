/** `checklist`: the steps of a node's start, in order, and where the programs that it starts are looked up. */
import { z } from 'zod';
import { CHECKLIST } from '../node/checklist.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { localSnapshot } from './local-snapshot.ts';
import { present, printFields, printTable } from './output.ts';

const ProgramPathSchema = z.looseObject({
  program_path: z.object({ path: z.string(), left_out: z.array(z.string()) }),
});
const NOT_KNOWN = "the agent's own, without folders that a chat can write; known while the agent runs";

async function printProgramPath(args: Args, deps: CommandDeps): Promise<void> {
  const agent = await localSnapshot(args, deps, ProgramPathSchema);
  const { path, left_out } = agent?.program_path ?? {
    path: configOf(args, deps, edgeOptions).config.programPath ?? NOT_KNOWN,
    left_out: [],
  };
  deps.print('');
  printFields(deps, {
    'PATH of programs': path,
    ...(left_out.length > 0 && {
      'left out': `${left_out.join(':')} (a chat can write there; program_path sets PATH)`,
    }),
  });
}

export const checklist: CliCommand = {
  name: 'checklist',
  about: 'list the steps of a node’s start, in order, and the PATH of the programs that it starts',
  examples: ['checklist'],
  options: edgeOptions,
  run: async (args, deps) => {
    const steps = CHECKLIST.map(([key, description]) => ({ key, description }));
    const rows = steps.map((step, index) => [String(index + 1), step.key, step.description]);
    present(args, deps, steps, () => printTable(deps, ['', 'STEP', 'WHAT'], rows, ''));
    if (args.json !== true) await printProgramPath(args, deps);
    return EXIT.fine;
  },
};
