/** Commands that change one object of the edge by its id, with a reason where the edge keeps one. */
import type { z } from 'zod';
import { valueOption } from '../config/flags.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { present } from './output.ts';

export interface ChangeSpec<T> {
  name: string;
  about: string;
  examples?: readonly string[];
  /** Name of the argument, and the form of its ids. */
  argument: string;
  idForm: string;
  /** Where the change is posted. */
  path: (id: string) => string;
  takesReason: boolean;
  schema: z.ZodType<T>;
  /** The state of the changed object, in one line. */
  summary: (item: T) => string;
}

export const reasonOption = valueOption('--reason <text>', 'why');

export function reasonOf(args: Args): { reason?: string } {
  const reason = optionalText(args, 'reason');
  return reason === undefined ? {} : { reason };
}

export function changeCommand<T>(spec: ChangeSpec<T>): CliCommand {
  return {
    name: spec.name,
    about: spec.about,
    ...(spec.examples && { examples: spec.examples }),
    argument: idArgument(spec.argument, spec.idForm),
    options: spec.takesReason ? [...edgeOptions, reasonOption] : edgeOptions,
    run: async (args, deps) => {
      const path = spec.path(encodeURIComponent(String(args[spec.argument])));
      const body = reasonOf(args);
      const item = await withEdge(args, deps, (edge) => edge.call({ method: 'POST', path, body, schema: spec.schema }));
      present(args, deps, item, () => deps.print(spec.summary(item)));
      return EXIT.fine;
    },
  };
}
