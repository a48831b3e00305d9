/** `messages`: the assistants' messages that browsers reported, and what became of their instructions. */
import type { z } from 'zod';
import { INGEST_STATUSES, MessageDetailSchema, MessageSummarySchema } from '../../schema/contracts/instructions.ts';
import { callName } from '../../schema/contracts/tools.ts';
import { choiceOption, valueOption } from '../config/flags.ts';
import type { CliCommand } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { listCommand, showCommand } from './lists.ts';
import { moment, printFields, printTable, printText, withMoments } from './output.ts';

const PATH = '/v1/messages';

const list = listCommand({
  about: 'list messages, newest first, without their texts',
  examples: ['messages list --status awaiting_approval', 'messages list --conversation CONVERSATION_ID --limit 5'],
  path: PATH,
  item: MessageSummarySchema,
  filters: {
    local_conversation_id: valueOption('--conversation <id>', 'only messages of that conversation (lc_…)'),
    ingest_status: choiceOption('--status <status>', 'only messages with that status', INGEST_STATUSES),
  },
  head: ['ID', 'CONVERSATION', 'NODE', 'STATUS', 'REPLY', 'RECEIVED'],
  row: (one) => [
    one.message_id,
    one.local_conversation_id,
    one.controller_id,
    one.ingest_status,
    one.reply_reason === null ? one.reply_outcome : `${one.reply_outcome ?? 'none'}: ${one.reply_reason}`,
    moment(one.received_at),
  ],
  none: 'no message has been seen yet',
});

function printMessage(deps: CommandDeps, message: z.infer<typeof MessageDetailSchema>): void {
  const { raw_text, instructions, block_errors, ...fields } = message;
  printFields(deps, withMoments(fields));
  printText(deps, 'text', raw_text);
  deps.print('');
  const rows = instructions.map((one) => [
    one.instruction_id,
    callName(one.target, one.tool),
    one.status,
    one.error_code ?? one.gate,
  ]);
  printTable(deps, ['INSTRUCTION', 'CALL', 'STATUS', 'CODE'], rows, 'it has no instruction');
  if (block_errors.length === 0) return;
  deps.print('');
  const errors = block_errors.map(({ line, code, message: why }) => [String(line), code, why]);
  printTable(deps, ['LINE', 'ERROR', 'WHAT'], errors, '');
}

const show = showCommand({
  argument: 'message',
  idForm: 'msg_…',
  about: 'show one message: its text, its instructions and what could not be read',
  examples: ['messages show MESSAGE_ID'],
  path: (id) => `${PATH}/${id}`,
  schema: MessageDetailSchema,
  print: printMessage,
});

export const messages: readonly CliCommand[] = [list, show];
