/** Commands that read from the edge: `list` shows one page of a list, `show` one object by its id. */
import type { Argument, Option } from 'commander';
import type { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import { valueOption } from '../config/flags.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { present, printTable } from './output.ts';

export interface ListSpec<T extends z.ZodType> {
  /** `list` when left out. */
  name?: string;
  about: string;
  examples?: readonly string[];
  path: string;
  item: T;
  /** Options by the query parameter that they set. */
  filters: Readonly<Record<string, Option>>;
  head: readonly string[];
  row: (item: z.infer<T>) => readonly unknown[];
  /** Printed when the list is empty. */
  none: string;
  /** Printed below the table. */
  below?: (deps: CommandDeps, items: readonly z.infer<T>[]) => void;
}

export const paging = {
  limit: valueOption('--limit <count>', 'at most that many'),
  cursor: valueOption('--cursor <cursor>', 'continue after the page that printed this cursor'),
};

/** The query that these options set; empty without any. */
export function queryOf(parameters: Readonly<Record<string, Option>>, args: Args): string {
  const query = new URLSearchParams();
  for (const [name, option] of Object.entries(parameters)) {
    const value = optionalText(args, option.attributeName());
    if (value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? '' : `?${query}`;
}

export function listCommand<T extends z.ZodType>(spec: ListSpec<T>): CliCommand {
  const parameters = { ...spec.filters, ...paging };
  return {
    name: spec.name ?? 'list',
    about: spec.about,
    ...(spec.examples && { examples: spec.examples }),
    options: [...edgeOptions, ...Object.values(parameters)],
    run: async (args, deps) => {
      const path = `${spec.path}${queryOf(parameters, args)}`;
      const page = await withEdge(args, deps, (edge) => edge.call({ method: 'GET', path, schema: pageOf(spec.item) }));
      present(args, deps, page, () => {
        const rows = page.items.map((item) => spec.row(item));
        printTable(deps, spec.head, rows, spec.none);
        spec.below?.(deps, page.items);
        if (page.next_cursor !== null) deps.print(`more: --cursor ${page.next_cursor}`);
      });
      return EXIT.fine;
    },
  };
}

export interface ShowSpec<T> {
  about: string;
  examples?: readonly string[];
  /** What names the object: the name of its id, and the form of such ids, or an argument of its own. */
  argument: string | Argument;
  idForm?: string;
  path: (id: string) => string;
  schema: z.ZodType<T>;
  print: (deps: CommandDeps, item: T, args: Args) => void;
}

export function showCommand<T>(spec: ShowSpec<T>): CliCommand {
  const { argument: named, idForm = '' } = spec;
  const argument = typeof named === 'string' ? idArgument(named, idForm) : named;
  return {
    name: 'show',
    about: spec.about,
    ...(spec.examples && { examples: spec.examples }),
    argument,
    options: edgeOptions,
    run: async (args, deps) => {
      const path = spec.path(encodeURIComponent(String(args[argument.name()])));
      const item = await withEdge(args, deps, (edge) => edge.call({ method: 'GET', path, schema: spec.schema }));
      present(args, deps, item, () => spec.print(deps, item, args));
      return EXIT.fine;
    },
  };
}
