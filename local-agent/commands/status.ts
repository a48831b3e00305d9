/** `status`: the whole system as the edge sees it, or with `--local` this node as its agent sees it. */
import { Option } from 'commander';
import { z } from 'zod';
import type { Status } from '../../schema/contracts/status.ts';
import { StatusSchema } from '../../schema/contracts/status.ts';
import { callName } from '../../schema/contracts/tools.ts';
import type { Args, CliCommand } from './command.ts';
import { printWarnings } from './config.ts';
import type { CommandDeps } from './deps.ts';
import { agentAccess, edgeOptions, withEdge } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { localSnapshot } from './local-snapshot.ts';
import { loginsOf } from './logins.ts';
import { moment, present, printFields, printTable } from './output.ts';
import { printSnapshot } from './print-snapshot.ts';
import { watched, watchOption } from './watch.ts';

const SECOND_MS = 1_000;
const WarningsSchema = z.looseObject({ warnings: z.array(z.string()) });

/** The mode with its reason, and that only a person ends it. */
function modeText({ mode, hold, reason }: Status['system']): string {
  const held = hold ? `${mode}, held: only a person resumes it` : mode;
  return reason === null ? held : `${held} (${reason})`;
}

/** Says which columns of the stored row are damaged; the next report of the node replaces them. */
function withUnreadable(text: string, columns: readonly string[] = []): string {
  return columns.length === 0 ? text : `${text} (stored ${columns.join(', ')} cannot be read)`;
}

/** What each node runs now. */
function printRuns(deps: CommandDeps, nodes: Status['nodes']): void {
  const rows = nodes.flatMap(({ controller_id, live_runs }) =>
    live_runs.map(({ run_id, task_title, step_name, status, progress, created_at }) => [
      run_id,
      controller_id,
      task_title,
      step_name,
      progress ?? status,
      moment(created_at),
    ]),
  );
  printTable(deps, ['RUN', 'NODE', 'TASK', 'STEP', 'DOES', 'CLAIMED'], rows, 'no step runs now');
}

/** The open tasks in words. */
function tasksText({ queued, running, blocked }: Status['tasks']): string {
  return `${queued} queued, ${running} running, ${blocked} waiting for a person`;
}

function printStatus(deps: CommandDeps, status: Status): void {
  const { system, lease, renewal } = status;
  printFields(deps, {
    mode: modeText(system),
    leader: lease.holder_id,
    term: lease.term,
    'lease ends in': `${Math.round(lease.expires_in_ms / SECOND_MS)} s`,
    renewals: `${renewal.pending} pending, ${renewal.running} running, ${renewal.due} due`,
    'next renewal': moment(renewal.next_due_at),
    tasks: tasksText(status.tasks),
  });
  deps.print('');
  const nodes = status.nodes.map((node) => [
    node.controller_id,
    node.host,
    withUnreadable(nodeState(node), node.unreadable),
    node.presence.connected ? 'yes' : 'no',
    node.version,
  ]);
  printTable(deps, ['NODE', 'HOST', 'STATUS', 'CONNECTED', 'VERSION'], nodes, 'no node has registered yet');
  deps.print('');
  printRuns(deps, status.nodes);
  deps.print('');
  const browsers = status.clients.map((browser) => [
    browser.client_id,
    browser.controller_id,
    browser.connected ? 'yes' : 'no',
    withUnreadable(loginsOf(browser.platforms), browser.unreadable),
  ]);
  printTable(deps, ['BROWSER', 'NODE', 'CONNECTED', 'LOGINS'], browsers, 'no browser has connected yet');
  deps.print('');
  const recent = status.recent_instructions.map((one) => [
    one.instruction_id,
    callName(one.target, one.tool),
    one.status,
    one.error_code ?? one.gate,
    moment(one.created_at),
  ]);
  printTable(deps, ['INSTRUCTION', 'CALL', 'STATUS', 'CODE', 'CREATED'], recent, 'no instruction yet');
}

type NodeState = Pick<Status['nodes'][number], 'status' | 'presence' | 'draining'>;

/** The state that the node reported last, since when it has not been connected to say otherwise, and whether it is drained. */
export function nodeState({ status, presence, draining }: NodeState): string {
  const state = draining ? `${status}, drained` : status;
  if (presence.connected) return state;
  const { contact_age_ms: ageMs } = presence;
  return ageMs === null ? `${state} (not connected)` : `${state} (not connected for ${duration(ageMs)})`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** What a person who watches wants to see at once: no ages and no time left. */
function factsOf({ system, lease, renewal, tasks, nodes, clients, recent_instructions }: Status): unknown {
  return [
    system,
    [lease.holder_id, lease.term],
    [renewal.pending, renewal.running, renewal.due, renewal.next_due_at],
    tasks,
    nodes.map((one) => [one.controller_id, one.status, one.draining, one.presence.connected, one.live_runs]),
    clients.map((one) => [one.client_id, one.controller_id, one.connected, loginsOf(one.platforms)]),
    recent_instructions.map((one) => [one.instruction_id, one.status]),
  ];
}

async function localStatus(args: Args, deps: CommandDeps): Promise<ExitCode> {
  const { localApi, sharedToken } = agentAccess(args, deps);
  const agent = deps.connect(localApi, sharedToken);
  try {
    return await watched(args, deps, async (shown) => {
      const schema = z.record(z.string(), z.unknown());
      const snapshot = await agent.call({ method: 'GET', path: '/v1/status', schema });
      present(args, shown, snapshot, () => printSnapshot(shown, snapshot));
      return { facts: () => snapshot, isOver: false };
    });
  } finally {
    await agent.close();
  }
}

export const status: CliCommand = {
  name: 'status',
  about: 'show the system as the edge sees it',
  examples: ['status', 'status --watch', 'status --local', 'status --json'],
  options: [...edgeOptions, new Option('--local', 'show this node only, as its agent sees it'), watchOption],
  run: async (args, deps) => {
    if (args.local === true) return localStatus(args, deps);
    const code = await withEdge(args, deps, (edge) =>
      watched(args, deps, async (shown) => {
        const snapshot = await edge.call({ method: 'GET', path: '/v1/status', schema: StatusSchema });
        present(args, shown, snapshot, () => printStatus(shown, snapshot));
        return { facts: () => factsOf(snapshot), isOver: false };
      }),
    );
    // Such as a broken policy, which the edge does not know.
    printWarnings(deps, (await localSnapshot(args, deps, WarningsSchema))?.warnings ?? []);
    return code;
  },
};
