/** Commands that read from the edge: `list` shows one page of a list, `show` one object by its id. */
import type { Argument, Option } from 'commander';
import type { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import { HTTP } from '../../schema/defaults.ts';
import { numberOption, valueOption } from '../config/flags.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { present, printTable } from './output.ts';
import { watched, watchOption } from './watch.ts';

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
  /** It can be watched: what makes a difference in an item. */
  facts?: (item: z.infer<T>) => unknown;
  /** Printed below the table. */
  below?: (deps: CommandDeps, items: readonly z.infer<T>[]) => void;
}

export const paging = {
  limit: numberOption('--limit <count>', 'at most that many', { min: 1, max: HTTP.list_limit_max }),
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
    options: [...edgeOptions, ...Object.values(parameters), ...(spec.facts ? [watchOption] : [])],
    run: (args, deps) =>
      withEdge(args, deps, (edge) =>
        watched(args, deps, async (shown) => {
          const path = `${spec.path}${queryOf(parameters, args)}`;
          const page = await edge.call({ method: 'GET', path, schema: pageOf(spec.item) });
          present(args, shown, page, () => {
            const rows = page.items.map((item) => spec.row(item));
            printTable(shown, spec.head, rows, spec.none);
            spec.below?.(shown, page.items);
            // What is watched is the newest page, and would say so at every look.
            if (page.next_cursor !== null && args.watch !== true) shown.warn(`more: --cursor ${page.next_cursor}`);
          });
          return { facts: () => page.items.map((item) => spec.facts?.(item)), isOver: false };
        }),
      ),
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
  /** It can be watched until this says that it has ended. */
  hasEnded?: (item: T) => boolean;
}

export function showCommand<T>(spec: ShowSpec<T>): CliCommand {
  const { argument: named, idForm = '' } = spec;
  const argument = typeof named === 'string' ? idArgument(named, idForm) : named;
  return {
    name: 'show',
    about: spec.about,
    ...(spec.examples && { examples: spec.examples }),
    argument,
    options: spec.hasEnded ? [...edgeOptions, watchOption] : edgeOptions,
    run: (args, deps) =>
      withEdge(args, deps, (edge) =>
        watched(args, deps, async (shown) => {
          const path = spec.path(encodeURIComponent(String(args[argument.name()])));
          const item = await edge.call({ method: 'GET', path, schema: spec.schema });
          present(args, shown, item, () => spec.print(shown, item, args));
          return { facts: () => item, isOver: spec.hasEnded?.(item) ?? false };
        }),
      ),
  };
}
