/** Commands that change one object of the edge by its id, with a reason where the edge keeps one. */
import type { z } from 'zod';
import { edgeArgs, withEdge } from './edge-access.ts';
import { present } from './output.ts';
import type { Verb } from './verb.ts';
import { EXIT, optionalText } from './verb.ts';

export interface ChangeSpec<T> {
  name: string;
  about: string;
  /** The argument that names the object, and how its ids look. */
  argument: string;
  idForm: string;
  /** The call is a POST to it. */
  path: (id: string) => string;
  takesReason: boolean;
  schema: z.ZodType<T>;
  /** What the object is now, in one line. */
  said: (item: T) => string;
}

const reasonArg = { reason: { type: 'string', description: 'why' } } as const;

export function changeVerb<T>(spec: ChangeSpec<T>): Verb {
  return {
    name: spec.name,
    about: spec.about,
    args: {
      ...edgeArgs,
      [spec.argument]: { type: 'positional', description: `its id (${spec.idForm})`, required: true },
      ...(spec.takesReason && reasonArg),
    },
    run: async (args, deps) => {
      const reason = optionalText(args, 'reason');
      const path = spec.path(encodeURIComponent(String(args[spec.argument])));
      const body = reason === undefined ? {} : { reason };
      const item = await withEdge(args, deps, (edge) => edge.call({ method: 'POST', path, body, schema: spec.schema }));
      present(args, deps, item, () => deps.print(spec.said(item)));
      return EXIT.fine;
    },
  };
}
