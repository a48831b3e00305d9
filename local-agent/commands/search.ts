/** `search`: objects by id, address or title, and words in messages, instructions and tasks, from the newest on. */
import { Argument } from 'commander';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { SearchResponse, TextSearchResponse } from '../../schema/contracts/search.ts';
import {
  SearchResponseSchema,
  TextSearchQuerySchema,
  TextSearchResponseSchema,
} from '../../schema/contracts/search.ts';
import { valueOption } from '../config/flags.ts';
import type { CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { moment, present, printTable } from './output.ts';

const conversationOption = valueOption('--conversation <id>', 'only texts of that conversation (lc_…)');
const cursorOption = valueOption('--cursor <cursor>', 'continue further back, after the part that printed this cursor');

function printObjects(deps: CommandDeps, { items, has_more }: SearchResponse): void {
  if (items.length === 0) return;
  printTable(
    deps,
    ['KIND', 'ID', 'TITLE'],
    items.map(({ kind, id, title }) => [kind, id, title]),
    '',
  );
  if (has_more) deps.print('there are more than are listed: type more of it');
  deps.print('');
}

function printTexts(deps: CommandDeps, { items, back_to, next_cursor }: TextSearchResponse): void {
  const rows = items.map((one) => [
    one.kind,
    one.id,
    one.local_conversation_id,
    one.place,
    moment(one.at),
    `${one.before}${one.match}${one.after}`,
  ]);
  const none = 'no text that was searched has these words';
  printTable(deps, ['KIND', 'ID', 'CONVERSATION', 'IN', 'CREATED', 'TEXT'], rows, none);
  if (back_to !== null) deps.warn(`searched back to ${moment(back_to)}; further back: --cursor ${next_cursor}`);
}

export const search: CliCommand = {
  name: 'search',
  about: 'find objects by id, address or title, and words in messages, instructions and tasks',
  examples: ["search 'out of memory'", 'search parser --conversation CONVERSATION_ID', 'search task_01kb3'],
  argument: new Argument('<text>', 'words of a text or a title, the beginning of an id, or the address of a chat'),
  options: [...edgeOptions, conversationOption, cursorOption],
  run: (args, deps) =>
    withEdge(args, deps, async (edge) => {
      const query = checkValue(TextSearchQuerySchema, {
        q: args.text,
        local_conversation_id: optionalText(args, 'conversation'),
        cursor: optionalText(args, 'cursor'),
      });
      if (!query.success) throw new UsageError(firstIssueText(query.error, 'the search'));
      const { q, local_conversation_id, cursor } = query.data;
      const given = { q, ...(local_conversation_id && { local_conversation_id }), ...(cursor && { cursor }) };
      const read = { method: 'GET' } as const;
      const texts = edge.call({
        ...read,
        path: `/v1/search/texts?${new URLSearchParams(given)}`,
        schema: TextSearchResponseSchema,
      });
      // Objects belong to the whole search, and to its first part.
      const isFirst = local_conversation_id === undefined && cursor === undefined;
      const path = `/v1/search?${new URLSearchParams({ q })}`;
      const objects = isFirst ? edge.call({ ...read, path, schema: SearchResponseSchema }) : null;
      const [found_objects, found_texts] = await Promise.all([objects, texts]);
      const found = { objects: found_objects, texts: found_texts };
      present(args, deps, found, () => {
        if (found.objects !== null) printObjects(deps, found.objects);
        printTexts(deps, found.texts);
      });
      return EXIT.fine;
    }),
};
