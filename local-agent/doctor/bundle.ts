/** The file for a bug report: what it contains, and what of a status stays in it. */
import type { Status } from '../../schema/contracts/status.ts';
import type { Hide } from './hide.ts';
import { hideIn, safeLine } from './hide.ts';
import type { DoctorReport } from './report.ts';

export const CONTAINS: readonly string[] = [
  'versions of program, Node and system',
  'settings and where each comes from, secrets as "set"',
  'the findings of doctor',
  'mode, leader, nodes, browsers and counts, as the edge and the agent see them',
  "the last lines of agent, edge, ticks and service, known fields only, those of systemd's journal about the service, and where a process hung",
];
export const LEAVES_OUT: readonly string[] = [
  'tokens, keys, cookies and the values of variables with such names',
  'what was said in chats: messages, parameters and outputs of instructions, titles of tasks',
  'the name of the home folder',
];

export interface BundleSources {
  madeAt: number;
  version: string;
  node: string;
  platform: object;
  settings: Readonly<Record<string, unknown>>;
  doctor: DoctorReport;
  /** Null when the edge or the agent does not say. */
  status: Status | null;
  agent: Readonly<Record<string, unknown>> | null;
  logs: Readonly<Record<string, readonly string[]>>;
}

/** What of a status no chat has filled. */
function statusOf({ system, lease, nodes, clients, renewal, tasks, ticks, recent_instructions }: Status) {
  return {
    system: { ...system, reason: system.reason === null ? null : '[left out]' },
    lease,
    nodes: nodes.map(({ controller_id, role, priority, status, version, presence, draining, live_runs }) => {
      const runs = live_runs.map(({ run_id, status: state, created_at }) => ({ run_id, status: state, created_at }));
      return { controller_id, role, priority, status, version, presence, draining, live_runs: runs };
    }),
    browsers: clients.map(({ client_id, controller_id, connected, platforms, updated_at }) => {
      const logins = platforms.map(({ platform, login, stopped_reason }) => ({ platform, login, stopped_reason }));
      return { client_id, controller_id, connected, platforms: logins, updated_at };
    }),
    renewal,
    tasks,
    ticks,
    instructions: recent_instructions.map(
      ({ instruction_id, target, tool, status, gate, error_code, exit_code, created_at, finished_at }) => {
        return { instruction_id, target, tool, status, gate, error_code, exit_code, created_at, finished_at };
      },
    ),
  };
}

const AGENT_PARTS = [
  'identity',
  'system',
  'lease',
  'loops',
  'contact_age_ms',
  'control_api_base',
  'local_api',
  'paths',
];
const MORE_AGENT_PARTS = ['program_path', 'outbox', 'clients', 'checklist', 'warnings'];

function agentOf(snapshot: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries([...AGENT_PARTS, ...MORE_AGENT_PARTS].map((part) => [part, snapshot[part]]));
}

/** The text of the file. */
export function bundleText(from: BundleSources, hide: Hide): string {
  const { madeAt, version, node, platform, settings, doctor, status, agent, logs } = from;
  const bundle = {
    contains: CONTAINS,
    leaves_out: LEAVES_OUT,
    made_at: new Date(madeAt).toISOString(),
    program: { version, node, ...platform },
    settings,
    doctor,
    edge: status === null ? null : statusOf(status),
    agent: agent === null ? null : agentOf(agent),
  };
  const lines = Object.entries(logs).map(([name, all]) => [name, all.map((line) => safeLine(line, hide))] as const);
  const safe = { ...(hideIn(bundle, hide) as typeof bundle), logs: Object.fromEntries(lines) };
  return `${JSON.stringify(safe, null, 2)}\n`;
}
