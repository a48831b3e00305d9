/** `instructions`: the journal of what chats asked for and what came of it. */
import { InstructionDetailSchema, InstructionSchema } from '../../schema/contracts/instructions.ts';
import { listVerb, showVerb } from './lists.ts';
import { moment, printFields, printTable } from './output.ts';
import type { Verb } from './verb.ts';

const PATH = '/v1/instructions';

const list = listVerb({
  about: 'instructions, newest first',
  path: PATH,
  item: InstructionSchema,
  filters: {
    status: { query: 'status', about: 'of that status' },
    message: { query: 'message_id', about: 'of that message' },
  },
  head: ['ID', 'INSTRUCTION', 'STATUS', 'CODE', 'EXIT', 'MS', 'CREATED'],
  row: (one) => [
    one.instruction_id,
    `${one.target}::${one.tool}`,
    one.status,
    one.error_code ?? one.gate,
    one.exit_code,
    one.duration_ms,
    moment(one.created_at),
  ],
  none: 'no instruction yet',
});

const show = showVerb(
  {
    about: 'one instruction and its story',
    argument: 'instruction',
    path: (id) => `${PATH}/${id}`,
    schema: InstructionDetailSchema,
  },
  (deps, item) => {
    const { events, ...fields } = InstructionDetailSchema.parse(item);
    printFields(deps, fields);
    deps.print('');
    const rows = events.map((event) => [moment(event.at), event.kind, event.controller_id, event.detail]);
    printTable(deps, ['AT', 'EVENT', 'NODE', 'DETAIL'], rows, 'no event yet');
  },
);

export const instructions: readonly Verb[] = [list, show];
