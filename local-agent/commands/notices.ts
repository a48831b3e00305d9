/** `notices`: where notices to people are sent, and what became of the newest. */
import { Option } from 'commander';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { Notices, NoticesPutBody } from '../../schema/contracts/notices.ts';
import {
  NOTICE_FORMATS,
  NOTICE_LANGUAGES,
  NoticesPutBodySchema,
  NoticesSchema,
  NoticeTestSchema,
} from '../../schema/contracts/notices.ts';
import { valueOption } from '../config/flags.ts';
import type { Args, CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { moment, present, printFields, printTable } from './output.ts';

const PATH = '/v1/notices';

function printNotices(deps: CommandDeps, { settings, waiting, sent }: Notices): void {
  if (settings === null) deps.print('notices are sent nowhere; set an address with: conductor notices set --address …');
  else {
    const { quiet_hours: quiet } = settings;
    printFields(deps, {
      'address of': settings.address_origin,
      format: settings.format,
      language: settings.language,
      secret: settings.has_secret ? 'is set' : 'none',
      'quiet hours': quiet === null ? null : `${quiet.from}–${quiet.to} ${settings.time_zone}`,
      'links to': settings.page_origin,
      'waiting for the end of quiet hours': waiting,
    });
  }
  const rows = sent.map((one) => [
    moment(one.created_at),
    one.cause,
    one.object_id,
    one.state,
    one.attempt_count,
    one.last_error,
  ]);
  printTable(deps, ['TIME', 'CAUSE', 'OBJECT', 'STATE', 'TRIES', 'ERROR'], rows, 'no notice was sent yet');
}

const show: CliCommand = {
  name: 'show',
  about: 'where notices are sent, without address and secret, and the newest of them',
  examples: ['notices show'],
  options: edgeOptions,
  run: async (args, deps) => {
    const notices = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'GET', path: PATH, schema: NoticesSchema }),
    );
    present(args, deps, notices, () => printNotices(deps, notices));
    return EXIT.fine;
  },
};

const QUIET = /^(\d\d:\d\d)-(\d\d:\d\d)$/;

function quietHours(text: string): { from: string; to: string } | null {
  if (text === 'none') return null;
  const [, from, to] = QUIET.exec(text) ?? [];
  if (from === undefined || to === undefined) {
    throw new UsageError('--quiet-hours: hours such as 22:00-07:00, or none');
  }
  return { from, to };
}

/** What the options say. Secrets are asked for, as an option would be in the history of the shell. */
async function bodyOf(args: Args, deps: CommandDeps): Promise<NoticesPutBody> {
  const named = optionalText(args, 'address');
  const address = named === '-' ? (await deps.readSecret('Address of the receiver: ')).trim() : named;
  const quiet = optionalText(args, 'quietHours');
  const secret = args.secret === true ? (await deps.readSecret('Secret of the receiver: ')).trim() : undefined;
  const given = Object.entries({
    address: args.off === true ? null : address,
    format: optionalText(args, 'format'),
    language: optionalText(args, 'language'),
    secret: args.secret === false ? null : secret,
    quiet_hours: quiet === undefined ? undefined : quietHours(quiet),
    time_zone: optionalText(args, 'timeZone'),
    page_origin: optionalText(args, 'pageOrigin'),
  }).filter(([, value]) => value !== undefined);
  if (given.length === 0) throw new UsageError('name what to change, such as --address; --help lists the options');
  const body = checkValue(NoticesPutBodySchema, Object.fromEntries(given));
  if (body.success) return body.data;
  throw new UsageError(firstIssueText(body.error, 'options'));
}

const set: CliCommand = {
  name: 'set',
  about: 'set where and when notices are sent; what is left out stays as it is',
  examples: [
    'notices set --address https://ntfy.sh/my-topic --format ntfy',
    'notices set --quiet-hours 22:00-07:00 --time-zone Europe/Berlin',
  ],
  options: [
    ...edgeOptions,
    valueOption('--address <url>', 'https address of the receiver, such as https://ntfy.sh/my-topic; - asks for it'),
    new Option('--off', 'send no notices any more').conflicts('address'),
    new Option('--format <format>', 'how they are written').choices([...NOTICE_FORMATS]),
    new Option('--language <language>', 'the language of notices').choices([...NOTICE_LANGUAGES]),
    new Option('--secret', 'ask for the secret that is sent as a bearer token'),
    new Option('--no-secret', 'send no secret'),
    valueOption('--quiet-hours <hours>', 'hours without notices, such as 22:00-07:00, or none'),
    valueOption('--time-zone <zone>', 'the time zone of these hours, such as Europe/Berlin'),
    valueOption('--page-origin <url>', 'address of the status page, to which the links lead'),
  ],
  run: async (args, deps) => {
    const body = await bodyOf(args, deps);
    const notices = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'PUT', path: PATH, body, schema: NoticesSchema }),
    );
    present(args, deps, notices, () => printNotices(deps, { ...notices, sent: [] }));
    return EXIT.fine;
  },
};

const test: CliCommand = {
  name: 'test',
  about: 'send one test notice now, at any hour',
  examples: ['notices test'],
  options: edgeOptions,
  run: async (args, deps) => {
    const outcome = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'POST', path: `${PATH}/test`, body: {}, schema: NoticeTestSchema }),
    );
    const { state, error } = outcome;
    present(args, deps, outcome, () => {
      if (state === 'accepted') deps.print('the receiver accepted the test notice');
      else deps.warn(`the receiver did not accept the test notice: ${error}; docs/notices.md says what that means`);
    });
    return state === 'accepted' ? EXIT.fine : EXIT.failed;
  },
};

export const notices: readonly CliCommand[] = [show, set, test];
