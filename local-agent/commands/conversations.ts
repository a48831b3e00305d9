/** `conversations`: what the system knows of each chat, and whether it may carry on by itself. */
import type { z } from 'zod';
import { ConversationDetailSchema, ConversationSchema } from '../../schema/contracts/conversations.ts';
import { firstIssueText } from '../../schema/contracts/issues.ts';
import type { NextRenewal, RenewalSettingsPatch } from '../../schema/contracts/renewal-settings.ts';
import { RenewalSettingsPatchSchema, SettingsResponseSchema } from '../../schema/contracts/renewal-settings.ts';
import { changeVerb } from './change.ts';
import type { CommandDeps } from './deps.ts';
import { edgeArgs, withEdge } from './edge-access.ts';
import { listVerb } from './lists.ts';
import { moment, present, printFields } from './output.ts';
import type { Verb } from './verb.ts';
import { EXIT, optionalText, UsageError } from './verb.ts';

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
  return changeVerb({
    name,
    about,
    argument: 'conversation',
    idForm: 'lc_…',
    path: (id) => `${PATH}/${id}/${name}`,
    takesReason: true,
    schema: ConversationSchema,
    said: (one) => `${one.local_conversation_id} is ${one.automation_status}`,
  });
}

function outlook({ due, at, reason }: NextRenewal): string {
  const when = at === null ? '' : ` (${moment(at)})`;
  return due ? `due${when}: ${reason}` : `not due: ${reason}${at === null ? '' : `, until ${moment(at)}`}`;
}

function printDetail(deps: CommandDeps, one: z.infer<typeof ConversationDetailSchema>): void {
  const { counters, limits } = one;
  printFields(deps, {
    conversation: one.local_conversation_id,
    platform: one.platform,
    title: one.title,
    status: one.automation_status,
    reason: one.pause_reason,
    'next renewal': outlook(one.next_renewal),
    browser: one.active_link?.client_id ?? null,
    page: one.active_link?.page_url ?? null,
    'in a row': `${counters.renewals_in_row} of ${limits.max_in_a_row ?? 'any'}`,
    today: `${counters.renewals_today} of ${limits.max_per_day ?? 'any'}`,
    'without effect': `${counters.renewals_without_effect} of ${limits.max_without_effect ?? 'any'}`,
    'same text': `${counters.repeated_renewals} of ${limits.max_repeats ?? 'any'}`,
    'quiet hours': limits.quiet_hours === null ? null : `${limits.quiet_hours.from}–${limits.quiet_hours.to}`,
    'time zone': limits.time_zone,
    ends: limits.end_at === null ? null : moment(limits.end_at),
  });
}

const show: Verb = {
  name: 'show',
  about: 'one conversation: its limits, and when and why it is renewed next',
  args: { ...edgeArgs, conversation: { type: 'positional', description: 'its id (lc_…)', required: true } },
  run: async (args, deps) => {
    const path = `${PATH}/${encodeURIComponent(String(args.conversation))}`;
    const answer = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'GET', path, schema: ConversationDetailSchema }),
    );
    present(args, deps, answer, () => printDetail(deps, answer));
    return EXIT.fine;
  },
};

/** `{}` takes everything back that the scope says itself. */
function wantedSettings(text: string): RenewalSettingsPatch {
  const parsed = RenewalSettingsPatchSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new UsageError(`--set: ${firstIssueText(parsed.error, 'settings')}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('--set takes JSON, such as {"max_per_day":20}');
  }
}

const limits: Verb = {
  name: 'limits',
  about: 'limits and template: of all conversations, a platform, or one conversation',
  args: {
    ...edgeArgs,
    platform: { type: 'string', description: 'of that platform' },
    conversation: { type: 'string', description: 'of that conversation (lc_…)' },
    set: { type: 'string', description: 'replace what this scope says, as JSON' },
  },
  run: async (args, deps) => {
    const scope = Object.fromEntries(
      Object.entries({ platform: args.platform, local_conversation_id: args.conversation }).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string',
      ),
    );
    const wanted = optionalText(args, 'set');
    const path = '/v1/renewal/settings';
    const call =
      wanted === undefined
        ? { method: 'GET' as const, path: `${path}?${new URLSearchParams(scope)}` }
        : { method: 'PUT' as const, path, body: { ...scope, settings: wantedSettings(wanted) } };
    const answer = await withEdge(args, deps, (edge) => edge.call({ ...call, schema: SettingsResponseSchema }));
    present(args, deps, answer, () => printFields(deps, answer.effective));
    return EXIT.fine;
  },
};

export const conversations: readonly Verb[] = [
  list,
  show,
  limits,
  statusVerb('auto', 'let it carry on by itself'),
  statusVerb('manual', 'leave it to a person'),
  statusVerb('paused', 'run nothing for it'),
  statusVerb('resume', 'what it was before the pause'),
];
