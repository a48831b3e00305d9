/** `nodes list` and `nodes show`: the machines that the edge knows, with their browsers and what they run. */
import { NODE_STATES, NodeViewSchema } from '../../schema/contracts/nodes.ts';
import { choiceOption } from '../config/flags.ts';
import { namedArgument } from './command.ts';
import { listCommand, showCommand } from './lists.ts';
import { loginsOf } from './logins.ts';
import { moment, printFields, printTable, withMoments } from './output.ts';
import { nodeState } from './status.ts';

const PATH = '/v1/controllers';

export const listNodes = listCommand({
  about: 'list nodes with their state and how much they run',
  examples: ['nodes list', 'nodes list --status degraded --json'],
  path: PATH,
  item: NodeViewSchema,
  filters: { status: choiceOption('--status <status>', 'only nodes in that state', NODE_STATES) },
  head: ['ID', 'HOST', 'STATUS', 'CONNECTED', 'VERSION', 'RUNS', 'BROWSERS', 'STARTED'],
  row: (one) => [
    one.controller_id,
    one.host,
    nodeState(one),
    one.presence.connected ? 'yes' : 'no',
    one.version,
    one.live_runs.length,
    one.clients.length,
    moment(one.started_at),
  ],
  none: 'no node has registered yet',
});

export const showNode = showCommand({
  argument: namedArgument('node'),
  about: 'show one node with its browsers and what it runs',
  examples: ['nodes show mini'],
  path: (id) => `${PATH}/${id}`,
  schema: NodeViewSchema,
  print: (deps, { clients, live_runs, presence, metadata, ...fields }) => {
    const { connected, contact_age_ms } = presence;
    printFields(deps, { ...withMoments(fields), connected, contact_age_ms, metadata });
    deps.print('');
    const browsers = clients.map((one) => [
      one.client_id,
      one.connected ? 'yes' : 'no',
      loginsOf(one.platforms),
      moment(one.updated_at),
    ]);
    printTable(deps, ['BROWSER', 'CONNECTED', 'LOGINS', 'REPORTED'], browsers, 'it has no browser');
    deps.print('');
    const runs = live_runs.map((one) => [one.run_id, one.task_id, one.step_name, one.progress ?? one.status]);
    printTable(deps, ['RUN', 'TASK', 'STEP', 'DOES'], runs, 'it runs no step now');
  },
});
