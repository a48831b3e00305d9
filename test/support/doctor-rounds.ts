/**
 * The findings of `doctor` that end with a start of the system, in rounds: what one line mends together is produced together, so
 * that the system starts once for each round.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { FindingCode } from '../../local-agent/doctor/finding-codes.ts';
import { systemMachine } from '../../local-agent/doctor/machine.ts';
import type { FindingReport } from '../../local-agent/doctor/report.ts';
import { API_LEVEL } from '../../schema/contracts/common.ts';
import { newId } from '../../schema/ids.ts';
import { until } from './cluster.ts';
import type { DoctorSystem } from './doctor-system.ts';

const real = systemMachine(process.env, async () => null);
const DAY_MS = 86_400_000;

/** The one line that all of these findings advise. */
function commonLine(findings: readonly FindingReport[]): string {
  const lines = [...new Set(findings.map(({ command }) => command))];
  const [line] = lines;
  if (lines.length !== 1 || !line) throw new Error(`they advise several lines: ${JSON.stringify(lines)}`);
  return line;
}

export interface Round {
  codes: readonly FindingCode[];
  /** Why a part of it is only said to doctor, and not done. */
  simulated?: string;
  /** Produces the faults, sees each of them, and does what doctor says. */
  run: (s: DoctorSystem) => Promise<void>;
}

/** The process that listens at the address. */
async function listenerAt(url: string | null): Promise<number> {
  const listener = await real.listenerOf(Number(new URL(url ?? '').port));
  if (!listener?.pid) throw new Error(`nothing listens at ${url}`);
  return listener.pid;
}

/** The children of a process. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[1]) === parent;
      } catch {
        return false;
      }
    });
}

/** Takes a port, unless another program of this machine has it already. */
function taker(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(server)).listen(port, '127.0.0.1', () => resolve(server));
  });
}

const tokenFile = (s: DoctorSystem, name: 'operator' | 'shared'): string => s.path(`state/${name}.token`);

/** Makes a token of another role or node, and puts it in the place of one of the root. */
async function replaceToken(s: DoctorSystem, name: 'operator' | 'shared', options: string): Promise<void> {
  const { out } = await s.run(`conductor tokens create --subject other ${options} --json --root ${s.root}`);
  writeFileSync(tokenFile(s, name), `${(JSON.parse(out) as { token: string }).token}\n`);
}

export const ROUNDS = [
  {
    codes: ['agent_hung', 'edge_hung'],
    run: async (s) => {
      const { edge_url, agent_url } = s.record();
      const stopped = await Promise.all([edge_url, agent_url].map(listenerAt));
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
      for (const { command } of await s.see(['agent_hung', 'edge_hung'])) await s.follow(command);
    },
  },
  {
    codes: ['agent_gone', 'no_channel', 'edge_gone'],
    run: async (s) => {
      const { pid: supervisor, agent_url } = s.record();
      if (supervisor === null) throw new Error('nothing runs');
      // What supervises them starts them again at once, unless it is stopped.
      process.kill(supervisor, 'SIGSTOP');
      const agent = await listenerAt(agent_url);
      const edges = childrenOf(supervisor).filter((child) => child !== agent);
      process.kill(-agent, 'SIGKILL');
      await until(async () => (await s.findings(['no_channel']))[0] !== undefined);
      const first = await s.see(['agent_gone', 'no_channel']);
      for (const edge of edges) process.kill(-edge, 'SIGKILL');
      const [gone] = await s.see(['edge_gone']);
      for (const finding of [...first, gone]) await s.follow(finding?.command);
      process.kill(supervisor, 'SIGCONT');
    },
  },
  {
    codes: ['migrations_missing', 'deadline_passed', 'edge_older', 'operator_token_refused', 'node_token_refused'],
    // A runtime does not survive that another program changes the schema of its database.
    simulated: 'an edge of an earlier version, with its database, is only said to run until the start',
    run: async (s) => {
      s.machine = {
        namesIn: (path) => [...real.namesIn(path), '9998_not-run.sql'],
        get: async (url, ms) => {
          const contact = await real.get(url, ms);
          return 'reason' in contact ? contact : { ...contact, level: API_LEVEL - 1 };
        },
      };
      const found = await s.see(['migrations_missing', 'edge_older']);
      // A tick that runs just now ends it before doctor has looked.
      const passed = await until(async () => {
        const id = newId('job', Date.now());
        s.d1(`INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind, attempt_count,
          max_attempts, created_at, updated_at, deadline_at) VALUES ('${id}', 'lc', '${id}', 'running', 'x', 'text', 1, 3, 1, 1, 1)`);
        return (await s.findings(['deadline_passed']))[0];
      });
      found.push(passed);
      for (const name of ['operator', 'shared'] as const) writeFileSync(tokenFile(s, name), 'baa_of-another-system\n');
      found.push(...(await s.see(['operator_token_refused', 'node_token_refused'])));
      await s.end('SIGINT');
      await s.startBy(commonLine(found));
      s.machine = {};
    },
  },
  {
    codes: ['node_token_expires', 'operator_token_missing', 'node_token_missing', 'killed'],
    run: async (s) => {
      const now = Date.now();
      const before = readFileSync(tokenFile(s, 'shared'), 'utf8');
      s.d1(`UPDATE tokens SET created_at = ${now - 30 * DAY_MS}, expires_at = ${now + 3 * DAY_MS}
        WHERE role = 'controller' AND revoked_at IS NULL`);
      const [expires] = await s.see(['node_token_expires']);
      await s.follow(expires?.command);
      if (readFileSync(tokenFile(s, 'shared'), 'utf8') === before) throw new Error('the file has the old token');
      for (const name of ['operator', 'shared'] as const) rmSync(tokenFile(s, name));
      const found = await s.see(['operator_token_missing', 'node_token_missing']);
      const record = s.record();
      await s.end('SIGKILL');
      // The system takes a moment to end a process that was killed.
      found.push(await until(async () => (await s.findings(['killed']))[0]));
      await s.startBy(commonLine(found));
      const { edge_url, agent_url } = s.record();
      if (edge_url !== record.edge_url || agent_url !== record.agent_url) throw new Error('it has other ports');
    },
  },
  {
    codes: ['node_token_of_other', 'node_token_role', 'operator_token_role', 'stopped'],
    run: async (s) => {
      await replaceToken(s, 'shared', '--role controller --controller-id other');
      const found = await s.see(['node_token_of_other']);
      await replaceToken(s, 'shared', '--role readonly');
      found.push(...(await s.see(['node_token_role'])));
      await replaceToken(s, 'operator', '--role readonly');
      found.push(...(await s.see(['operator_token_role'])));
      await s.end('SIGINT');
      found.push(...(await s.see(['stopped'])));
      await s.startBy(commonLine(found));
    },
  },
  {
    codes: ['record_damaged', 'never_started', 'port_taken'],
    run: async (s) => {
      s.write('state/system.json', '{');
      const [damaged] = await s.see(['record_damaged']);
      await s.end('SIGINT');
      await s.follow(damaged?.command);
      // The usual ports, unless another program of this machine has them already.
      const servers = await Promise.all([8787, 4317].map(taker));
      const [never, taken] = await s.see(['never_started', 'port_taken']);
      const line = taken?.command ?? '';
      if (line !== `${never?.command} --port 0 --agent-port 0`) throw new Error(`they advise other systems: ${line}`);
      await s.startBy(line);
      for (const server of servers) server.close();
    },
  },
] as const satisfies readonly Round[];

/** The findings that only a Firefox can have, which test/firefox/command.test.ts produces and mends. */
export const WITH_FIREFOX = [
  'no_browser_paired',
  'no_browser_connected',
  'extension_version',
] as const satisfies readonly FindingCode[];
