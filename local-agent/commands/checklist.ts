/** `checklist`: the steps of a node's start, in order. */
import { CHECKLIST } from '../node/checklist.ts';
import type { CliCommand } from './command.ts';
import { jsonOption } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { present, printTable } from './output.ts';

export const checklist: CliCommand = {
  name: 'checklist',
  about: 'list the steps of a node’s start, in order',
  options: [jsonOption],
  run: async (args, deps) => {
    const steps = CHECKLIST.map(([key, description]) => ({ key, description }));
    const rows = steps.map((step, index) => [String(index + 1), step.key, step.description]);
    present(args, deps, steps, () => printTable(deps, ['', 'STEP', 'WHAT'], rows, ''));
    return EXIT.fine;
  },
};
