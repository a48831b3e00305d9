/** Reading lists of the edge, page by page. */
import type { ArgsDef } from 'citty';
import type { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import type { CommandDeps } from './deps.ts';
import { edgeArgs, withEdge } from './edge-access.ts';
import { present, printTable } from './output.ts';
import type { Args, Verb } from './verb.ts';
import { EXIT, optionalText } from './verb.ts';

export interface ListSpec<T extends z.ZodType> {
  about: string;
  path: string;
  item: T;
  /** Filters: flag → query parameter, and what it is. */
  filters: Readonly<Record<string, { query: string; about: string }>>;
  head: readonly string[];
  row: (item: z.infer<T>) => readonly unknown[];
  none: string;
}

function queryOf<T extends z.ZodType>(spec: ListSpec<T>, args: Args): string {
  const query = new URLSearchParams();
  for (const [flag, { query: name }] of Object.entries({
    ...spec.filters,
    limit: { query: 'limit' },
    cursor: { query: 'cursor' },
  })) {
    const value = optionalText(args, flag);
    if (value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? '' : `?${query}`;
}

/** A `list` command over one route of the edge. */
export function listVerb<T extends z.ZodType>(spec: ListSpec<T>): Verb {
  const filters: ArgsDef = Object.fromEntries(
    Object.entries(spec.filters).map(([flag, { about }]) => [flag, { type: 'string', description: about }]),
  );
  return {
    name: 'list',
    about: spec.about,
    args: {
      ...edgeArgs,
      ...filters,
      limit: { type: 'string', description: 'how many at most' },
      cursor: { type: 'string', description: 'where the last page ended' },
    },
    run: (args, deps) => list(spec, args, deps),
  };
}

async function list<T extends z.ZodType>(spec: ListSpec<T>, args: Args, deps: CommandDeps) {
  const page = await withEdge(args, deps, (edge) =>
    edge.call({ method: 'GET', path: `${spec.path}${queryOf(spec, args)}`, schema: pageOf(spec.item) }),
  );
  present(args, deps, page, () => {
    printTable(
      deps,
      spec.head,
      page.items.map((item) => spec.row(item)),
      spec.none,
    );
    if (page.next_cursor !== null) deps.print(`more: --cursor ${page.next_cursor}`);
  });
  return EXIT.fine;
}

/** A `show` command: one object by its id, every field. */
export function showVerb(
  spec: { about: string; argument: string; path: (id: string) => string; schema: z.ZodType<object> },
  print: (deps: CommandDeps, item: object) => void,
): Verb {
  return {
    name: 'show',
    about: spec.about,
    args: { ...edgeArgs, [spec.argument]: { type: 'positional', description: 'its id', required: true } },
    run: async (args, deps) => {
      const id = encodeURIComponent(String(args[spec.argument]));
      const item = await withEdge(args, deps, (edge) =>
        edge.call({ method: 'GET', path: spec.path(id), schema: spec.schema }),
      );
      present(args, deps, item, () => print(deps, item));
      return EXIT.fine;
    },
  };
}
