/** `checklist`: what a node does when it starts, in order. */
import { CHECKLIST } from '../node/checklist.ts';
import { present, printTable } from './output.ts';
import type { Verb } from './verb.ts';
import { EXIT, jsonArg } from './verb.ts';

export const checklist: Verb = {
  name: 'checklist',
  about: 'what a node does when it starts',
  args: jsonArg,
  run: async (args, deps) => {
    const steps = CHECKLIST.map(([key, description]) => ({ key, description }));
    const rows = steps.map((step, index) => [String(index + 1), step.key, step.description]);
    present(args, deps, steps, () => printTable(deps, ['', 'STEP', 'WHAT'], rows, ''));
    return EXIT.fine;
  },
};
