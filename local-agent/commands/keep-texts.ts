/** `conversations keep`: sets for how many days the edge keeps the texts of one conversation. */
import type { KeepState } from '../../schema/contracts/keeping.ts';
import { KeepStateSchema, TEXTS_KEPT_CHOICES } from '../../schema/contracts/keeping.ts';
import { choiceOption } from '../config/flags.ts';
import type { CliCommand } from './command.ts';
import { idArgument } from './command.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { present } from './output.ts';

/** As a person reads it. */
export function keptText({ days, is_own }: KeepState): string {
  const long = days === 'always' ? 'always' : `${days} days`;
  return is_own ? long : `${long}, as for all conversations`;
}

export const keepCommand: CliCommand = {
  name: 'keep',
  about: 'set for how many days the edge keeps texts, calls and outputs of a conversation',
  argument: idArgument('conversation', 'lc_…'),
  options: [
    ...edgeOptions,
    choiceOption('--days <days>', 'default: as for all conversations', TEXTS_KEPT_CHOICES).makeOptionMandatory(),
  ],
  examples: ['conversations keep CONVERSATION_ID --days 30', 'conversations keep CONVERSATION_ID --days always'],
  run: async (args, deps) => {
    const id = String(args.conversation);
    const choice = String(args.days);
    const days = choice === 'always' || choice === 'default' ? choice : Number(choice);
    const path = `/v1/renewal/conversations/${encodeURIComponent(id)}/keep`;
    const state = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'POST', path, body: { days }, schema: KeepStateSchema }),
    );
    present(args, deps, { local_conversation_id: id, ...state }, () =>
      deps.print(`${id}: texts are kept: ${keptText(state)}`),
    );
    return EXIT.fine;
  },
};
