/** `browsers`: the browsers that nodes report. One that was stopped is resumed here; one is moved to another node. */
import type { z } from 'zod';
import { BrowserResponseSchema } from '../../schema/contracts/browser.ts';
import { ClientResumeResponseSchema, ClientSchema, LOGIN_STATES } from '../../schema/contracts/clients.ts';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import { choiceOption, valueOption } from '../config/flags.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { CliCommand } from './command.ts';
import { namedArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, RefusedError } from './exit-codes.ts';
import { paging, queryOf } from './lists.ts';
import { loginsOf } from './logins.ts';
import { parseNode } from './node-name.ts';
import { moment, present, printFields, printTable } from './output.ts';
import { readList } from './read-pages.ts';

const PATH = '/v1/browser';
type Browser = z.infer<typeof BrowserResponseSchema>['clients'][number];

const filters = {
  platform: choiceOption('--platform <platform>', 'only browsers that have that platform', PLATFORM_IDS),
  status: choiceOption('--status <login>', 'only browsers with a login in that state', LOGIN_STATES),
  ...paging,
};

/** The platforms on which it delivers nothing until a person resumes it, each with why. */
function stopsOf({ platforms }: Browser): string | null {
  const stops = platforms.flatMap(({ platform, stopped_reason: why }) => (why === null ? [] : [`${platform}: ${why}`]));
  return stops.length === 0 ? null : stops.join(', ');
}

const list: CliCommand = {
  name: 'list',
  about: 'list browsers with their logins, and why one is stopped',
  examples: ['browsers list', 'browsers list --platform claude --status lost'],
  options: [...edgeOptions, ...Object.values(filters)],
  run: async (args, deps) => {
    const path = `${PATH}${queryOf(filters, args)}`;
    const page = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'GET', path, schema: BrowserResponseSchema }),
    );
    present(args, deps, page, () => {
      const rows = page.clients.map((one) => [
        one.client_id,
        one.controller_id,
        one.connected ? 'yes' : 'no',
        loginsOf(one.platforms),
        stopsOf(one),
        moment(one.updated_at),
      ]);
      const head = ['ID', 'NODE', 'CONNECTED', 'LOGINS', 'STOPPED', 'REPORTED'];
      printTable(deps, head, rows, 'no browser has connected yet; pair one with: conductor pair');
      if (page.next_cursor !== null) deps.warn(`more: --cursor ${page.next_cursor}`);
    });
    return EXIT.fine;
  },
};

/** @throws RefusedError when the edge knows no browser of that id */
async function findBrowser(edge: EdgeClient, id: string): Promise<Browser> {
  const all = await readList('browsers', async (cursor) => {
    const path = `${PATH}?limit=200${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { clients, next_cursor } = await edge.call({ method: 'GET', path, schema: BrowserResponseSchema });
    return { items: clients, next_cursor };
  });
  const found = all.find(({ client_id }) => client_id === id);
  if (found !== undefined) return found;
  const known = all.map(({ client_id }) => client_id).join(', ');
  throw new RefusedError(
    `there is no browser ${id}; ${known === '' ? 'none has connected yet' : `known are: ${known}`}`,
  );
}

function printBrowser(deps: CommandDeps, { platforms, ...one }: Browser): void {
  const { client_id, controller_id, connected, first_seen_at = null, updated_at } = one;
  printFields(deps, {
    browser: client_id,
    node: controller_id,
    connected: connected ? 'yes' : 'no',
    'first seen': moment(first_seen_at),
    reported: moment(updated_at),
  });
  deps.print('');
  const rows = platforms.map((each) => [each.platform, loginsOf([each]), each.hooks.length, each.stopped_reason]);
  printTable(deps, ['PLATFORM', 'LOGINS', 'TEMPLATES', 'STOPPED'], rows, 'it has shown no chat site yet');
}

const show: CliCommand = {
  name: 'show',
  about: 'show one browser: its logins, its request templates, and why it is stopped',
  examples: ['browsers show firefox-mini'],
  argument: namedArgument('browser'),
  options: edgeOptions,
  run: async (args, deps) => {
    const browser = await withEdge(args, deps, (edge) => findBrowser(edge, String(args.browser)));
    present(args, deps, browser, () => printBrowser(deps, browser));
    return EXIT.fine;
  },
};

const pathOf = (id: unknown, change: 'resume' | 'move') =>
  `${PATH}/clients/${encodeURIComponent(String(id))}/${change}`;

const resume: CliCommand = {
  name: 'resume',
  about: 'let a stopped browser deliver again, after you have looked at its page',
  examples: ['browsers resume firefox-mini', 'browsers resume firefox-mini --platform chatgpt'],
  argument: namedArgument('browser'),
  options: [
    ...edgeOptions,
    choiceOption('--platform <platform>', 'only on that platform (default: on all of them)', PLATFORM_IDS),
  ],
  run: async (args, deps) => {
    const platform = optionalText(args, 'platform');
    const call = { path: pathOf(args.browser, 'resume'), body: platform === undefined ? {} : { platform } };
    const resumed = await withEdge(args, deps, (edge) =>
      edge.call({ method: 'POST', ...call, schema: ClientResumeResponseSchema }),
    );
    present(args, deps, resumed, () => {
      const { client_id, resumed: platforms } = resumed;
      const where = platforms.join(', ');
      deps.print(platforms.length === 0 ? `${client_id} was not stopped` : `${client_id} is resumed on ${where}`);
    });
    return EXIT.fine;
  },
};

const move: CliCommand = {
  name: 'move',
  about: 'give a browser to another node, with its conversations',
  examples: ['browsers move firefox-mini --to studio'],
  argument: namedArgument('browser'),
  options: [...edgeOptions, valueOption('--to <node>', 'the node that has it from now on').makeOptionMandatory()],
  run: async (args, deps) => {
    const body = { controller_id: parseNode(args.to) };
    const path = pathOf(args.browser, 'move');
    const moved = await withEdge(args, deps, (edge) => edge.call({ method: 'POST', path, body, schema: ClientSchema }));
    present(args, deps, moved, () => deps.print(`${moved.client_id} belongs to ${moved.controller_id}`));
    return EXIT.fine;
  },
};

export const browsers: readonly CliCommand[] = [list, show, resume, move];
