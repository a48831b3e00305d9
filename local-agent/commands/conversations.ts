/** `conversations`: the chats that the system knows, their limits, and whether they are renewed automatically. */
import type { z } from 'zod';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import {
  AUTOMATION_STATUSES,
  ConversationDetailSchema,
  ConversationSchema,
} from '../../schema/contracts/conversations.ts';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { NextRenewal, RenewalSettingsPatch } from '../../schema/contracts/renewal-settings.ts';
import { SettingsChangeSchema, SettingsResponseSchema } from '../../schema/contracts/renewal-settings.ts';
import { choiceOption, valueOption } from '../config/flags.ts';
import { changeCommand } from './change.ts';
import type { CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { forgetCommand, removedText } from './forget-conversation.ts';
import { keepCommand, keptText } from './keep-texts.ts';
import { listCommand, showCommand } from './lists.ts';
import { moment, present, printFields } from './output.ts';

const PATH = '/v1/renewal/conversations';
const SETTINGS_PATH = '/v1/renewal/settings';
const conversation = { argument: 'conversation', idForm: 'lc_…' };

const list = listCommand({
  about: 'list conversations with their status',
  examples: ['conversations list --platform claude --status paused'],
  path: PATH,
  item: ConversationSchema,
  filters: {
    platform: choiceOption('--platform <platform>', 'only conversations of that platform', PLATFORM_IDS),
    status: choiceOption('--status <status>', 'only conversations with that status', AUTOMATION_STATUSES),
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

function statusCommand(name: 'auto' | 'manual' | 'paused' | 'resume', about: string): CliCommand {
  return changeCommand({
    ...conversation,
    name,
    about,
    examples: [`conversations ${name} CONVERSATION_ID`],
    path: (id) => `${PATH}/${id}/${name}`,
    takesReason: true,
    schema: ConversationSchema,
    summary: (one) => `${one.local_conversation_id} is ${one.automation_status}`,
  });
}

function describeNextRenewal({ due, at, reason }: NextRenewal): string {
  if (at === null) return due ? `due: ${reason}` : `not due: ${reason}`;
  return due ? `due (${moment(at)}): ${reason}` : `not due: ${reason}, until ${moment(at)}`;
}

function printDetail(deps: CommandDeps, one: z.infer<typeof ConversationDetailSchema>): void {
  const { counters, limits } = one;
  printFields(deps, {
    conversation: one.local_conversation_id,
    platform: one.platform,
    title: one.title,
    status: one.automation_status,
    reason: one.pause_reason,
    'next renewal': describeNextRenewal(one.next_renewal),
    browser: one.active_link?.client_id ?? null,
    page: one.active_link?.page_url ?? null,
    'in a row': `${counters.renewals_in_row} of ${limits.max_in_a_row ?? 'any'}`,
    today: `${counters.renewals_today} of ${limits.max_per_day ?? 'any'}`,
    'without effect': `${counters.renewals_without_effect} of ${limits.max_without_effect ?? 'any'}`,
    'same text': `${counters.repeated_renewals} of ${limits.max_repeats ?? 'any'}`,
    'quiet hours': limits.quiet_hours === null ? null : `${limits.quiet_hours.from}–${limits.quiet_hours.to}`,
    'time zone': limits.time_zone,
    ends: limits.end_at === null ? null : moment(limits.end_at),
    'texts are kept': one.texts_kept === undefined ? null : keptText(one.texts_kept),
    ...forgetFields(one),
  });
}

/** Nothing for a conversation of which nothing was removed. */
function forgetFields({ forget }: z.infer<typeof ConversationDetailSchema>): Record<string, string> {
  if (forget === undefined || forget.state === 'kept') return {};
  const { state, before, removed } = forget;
  return { [state]: `what was said before ${moment(before)}: ${removedText(removed)}` };
}

const show = showCommand({
  ...conversation,
  about: 'show one conversation: its limits, and when and why it is renewed next',
  examples: ['conversations show CONVERSATION_ID'],
  path: (id) => `${PATH}/${id}`,
  schema: ConversationDetailSchema,
  print: printDetail,
});

/** `{}` removes everything that the scope sets itself. @throws UsageError */
function parseSettings(text: string): RenewalSettingsPatch {
  const parsed = checkValue(SettingsChangeSchema, parseJson(text));
  if (parsed.success) return parsed.data;
  throw new UsageError(`--set: ${firstIssueText(parsed.error, 'settings')}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('--set takes JSON, such as {"max_per_day":20}');
  }
}

const limits: CliCommand = {
  name: 'limits',
  about: 'show or set limits and template: of all conversations, a platform, or one conversation',
  examples: ['conversations limits', `conversations limits --platform claude --set '{"max_per_day": 20}'`],
  options: [
    ...edgeOptions,
    choiceOption('--platform <platform>', 'of that platform', PLATFORM_IDS),
    valueOption('--conversation <id>', 'of that conversation (lc_…)'),
    valueOption('--set <json>', 'replace the settings of this scope'),
  ],
  run: async (args, deps) => {
    const platform = optionalText(args, 'platform');
    const id = optionalText(args, 'conversation');
    const scope = { ...(platform && { platform }), ...(id && { local_conversation_id: id }) };
    const settings = optionalText(args, 'set');
    const call =
      settings === undefined
        ? { method: 'GET' as const, path: `${SETTINGS_PATH}?${new URLSearchParams(scope)}` }
        : { method: 'PUT' as const, path: SETTINGS_PATH, body: { ...scope, settings: parseSettings(settings) } };
    const response = await withEdge(args, deps, (edge) => edge.call({ ...call, schema: SettingsResponseSchema }));
    present(args, deps, response, () => printFields(deps, response.effective));
    return EXIT.fine;
  },
};

export const conversations: readonly CliCommand[] = [
  list,
  show,
  limits,
  statusCommand('auto', 'renew the conversation automatically'),
  statusCommand('manual', 'do not renew the conversation; its instructions still run'),
  statusCommand('paused', 'run no instruction of the conversation and do not renew it'),
  statusCommand('resume', 'restore the status from before the pause'),
  keepCommand,
  forgetCommand,
];
