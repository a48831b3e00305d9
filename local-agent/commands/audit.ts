/** `audit`: every write at the edge, with its caller. What people did is a chain of its own, which `journal verify` checks. */
import { AuditEntrySchema, PeopleWritesPageSchema } from '../../schema/contracts/audit.ts';
import { numberOption, valueOption } from '../config/flags.ts';
import type { CliCommand } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { listCommand, paging, queryOf } from './lists.ts';
import { moment, present, printTable } from './output.ts';

const PATH = '/v1/audit';

const list = listCommand({
  about: 'list who changed what, newest first',
  examples: ['audit list --limit 20', 'audit list --actor ops --json', 'audit list --subject TOKEN_ID'],
  path: PATH,
  item: AuditEntrySchema,
  filters: {
    actor: valueOption('--actor <name>', 'only writes of that subject of a token'),
    action: valueOption('--action <action>', "only that method and route, such as 'POST /v1/tokens'"),
    subject_id: valueOption('--subject <id>', 'only writes about that object'),
    request_id: valueOption('--request <id>', 'only the write of that request'),
  },
  head: ['SEQ', 'AT', 'ACTOR', 'ROLE', 'ACTION', 'OBJECT', 'REQUEST'],
  row: (one) => [one.seq, moment(one.at), one.actor, one.role, one.action, one.subject_id, one.request_id],
  none: 'no write yet, or none that the options select',
});

const chain = {
  after: numberOption('--after <number>', 'only writes after that place in the chain'),
  limit: paging.limit,
};

const people: CliCommand = {
  name: 'people',
  about: 'list what people did, oldest first, with the hash that binds each write to the one before it',
  examples: ['audit people', 'audit people --after 200 --limit 50'],
  options: [...edgeOptions, ...Object.values(chain)],
  run: async (args, deps) => {
    const path = `${PATH}/people${queryOf(chain, args)}`;
    const page = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'GET', path, schema: PeopleWritesPageSchema }),
    );
    present(args, deps, page, () => {
      const rows = page.items.map((one) => [one.seq, moment(one.at), one.actor, one.action, one.subject_id, one.hash]);
      printTable(
        deps,
        ['PLACE', 'AT', 'ACTOR', 'ACTION', 'OBJECT', 'HASH'],
        rows,
        'no person has changed anything yet',
      );
      if (page.next_after !== null) deps.warn(`more: --after ${page.next_after}`);
    });
    return EXIT.fine;
  },
};

export const audit: readonly CliCommand[] = [list, people];
