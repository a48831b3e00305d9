/** `conversations`: what the system knows of each chat, and whether it may carry on by itself. */
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { edgeArgs, withEdge } from './edge-access.ts';
import { listVerb } from './lists.ts';
import { moment, present } from './output.ts';
import type { Verb } from './verb.ts';
import { EXIT, optionalText } from './verb.ts';

const PATH = '/v1/renewal/conversations';

const list = listVerb({
  about: 'conversations and their status',
  path: PATH,
  item: ConversationSchema,
  filters: {
    platform: { query: 'platform', about: 'of that platform' },
    status: { query: 'status', about: 'manual, auto or paused' },
  },
  head: ['ID', 'PLATFORM', 'STATUS', 'REASON', 'LAST MESSAGE', 'TITLE'],
  row: (one) => [
    one.local_conversation_id,
    one.platform,
    one.automation_status,
    one.pause_reason,
    moment(one.last_message_at),
    one.title,
  ],
  none: 'no conversation has been seen yet',
});

function statusVerb(name: 'auto' | 'manual' | 'paused' | 'resume', about: string): Verb {
  return {
    name,
    about,
    args: {
      ...edgeArgs,
      conversation: { type: 'positional', description: 'its id (lc_…)', required: true },
      reason: { type: 'string', description: 'why' },
    },
    run: async (args, deps) => {
      const reason = optionalText(args, 'reason');
      const path = `${PATH}/${encodeURIComponent(String(args.conversation))}/${name}`;
      const body = reason === undefined ? {} : { reason };
      const answer = await withEdge(args, deps, (edge) =>
        edge.call({ method: 'POST', path, body, schema: ConversationSchema }),
      );
      present(args, deps, answer, () => deps.print(`${answer.local_conversation_id} is ${answer.automation_status}`));
      return EXIT.fine;
    },
  };
}

export const conversations: readonly Verb[] = [
  list,
  statusVerb('auto', 'let it carry on by itself'),
  statusVerb('manual', 'leave it to a person'),
  statusVerb('paused', 'run nothing for it'),
  statusVerb('resume', 'what it was before the pause'),
];
