/** Commands that read from the edge: `list` shows one page of a list, `show` one object by its id. */
import type { Option } from 'commander';
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
  about: string;
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

const paging = {
  limit: valueOption('--limit <count>', 'at most that many'),
  cursor: valueOption('--cursor <cursor>', 'continue after the page that printed this cursor'),
};

function queryOf(parameters: Readonly<Record<string, Option>>, args: Args): string {
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
    name: 'list',
    about: spec.about,
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
  /** Name of the argument, and the form of its ids. */
  argument: string;
  idForm: string;
  path: (id: string) => string;
  schema: z.ZodType<T>;
  print: (deps: CommandDeps, item: T, args: Args) => void;
}

export function showCommand<T>(spec: ShowSpec<T>): CliCommand {
  return {
    name: 'show',
    about: spec.about,
    argument: idArgument(spec.argument, spec.idForm),
    options: edgeOptions,
    run: async (args, deps) => {
      const path = spec.path(encodeURIComponent(String(args[spec.argument])));
      const item = await withEdge(args, deps, (edge) => edge.call({ method: 'GET', path, schema: spec.schema }));
      present(args, deps, item, () => spec.print(deps, item, args));
      return EXIT.fine;
    },
  };
}
