/** Every finding about edge, browsers and tasks, produced on purpose: it is found, says why it matters, and what to do. */
import { rmSync } from 'node:fs';
import { describe } from 'vitest';
import type { Group } from '../../../../local-agent/doctor/check.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { API_LEVEL } from '../../../../schema/contracts/common.ts';
import { itFinds } from '../../../support/doctor-cases.ts';
import type { DoctorCase } from '../../../support/doctor-scene.ts';
import {
  at,
  deployedFrom,
  furtherHost,
  health,
  NOW,
  served,
  session,
  set,
  snapshot,
  status,
} from '../../../support/doctor-scene.ts';

const GROUPS: readonly Group[] = ['edge', 'browsers', 'tasks'];
const DAY_MS = 86_400_000;
const refused = (code: string) => new EdgeError('status', 401, code, `the token is ${code}`);
const overdue = (kind: string, id: string, deadline_at: number | null = NOW) =>
  health({ overdue: [{ kind, id, status: 'running', deadline_at }] });

const CASES: DoctorCase[] = [
  [
    'edge',
    'an edge that does not respond',
    'error',
    /does not respond: refused/,
    /logs edge --root/,
    set({ get: async () => ({ reason: 'refused', silent: false }) }),
  ],
  [
    'edge',
    'another program in place of the edge',
    'error',
    /responds with 200, and not as an edge does/,
    /^curl -i http/,
    set({ get: at({ level: null }) }),
  ],
  [
    'clock',
    'a clock that is ahead',
    'warning',
    /39 s ahead of that of the edge/,
    /timedatectl|^$/,
    set({ get: at({ date: NOW - 40_000 }) }),
  ],
  [
    'clock',
    'a clock that is behind',
    'warning',
    /40 s behind that of the edge/,
    /timedatectl|^$/,
    set({ get: at({ date: NOW + 40_000 }) }),
  ],
  [
    'edge-version',
    'an edge of an earlier level',
    'warning',
    /older than this program: its API has level 1/,
    /npm start/,
    set({ get: at({ level: 1 }) }),
  ],
  [
    'edge-version',
    'an edge of a later level',
    'warning',
    /this program is older than the edge/,
    /git pull/,
    set({ get: at({ level: API_LEVEL + 1 }) }),
  ],
  [
    'edge-version',
    'an edge without this route',
    'warning',
    /has no \/v1\/system\/health/,
    /npm start/,
    (s) => s.edge('/v1/system/health', new EdgeError('status', 404, 'not_found', 'no route')),
  ],
  [
    'edge-version',
    'an edge of another version',
    'note',
    /the edge has version 1.0.0, this program 1.2.3/,
    /npm start/,
    (s) => s.edge('/v1/system/health', health({ version: '1.0.0' })),
  ],
  [
    'edge-version',
    'an edge of a later version with the same API',
    'note',
    /the edge has version 1.10.0, this program 1.2.3/,
    /git pull && npm ci$/,
    (s) => s.edge('/v1/system/health', health({ version: '1.10.0' })),
  ],
  [
    'edge-version',
    'a deployed edge of an earlier version',
    'note',
    /the edge has version 1.0.0/,
    /npm run deploy -- --root \S+ --env staging$/,
    (s) => {
      deployedFrom(s, 'baa-conductor-staging');
      s.edge('/v1/system/health', health({ version: '1.0.0' }));
    },
  ],
  [
    'edge-version',
    'an edge of an earlier version under a service',
    'note',
    /the edge has version 1.0.0/,
    /conductor service restart --root /,
    (s) => {
      served(s);
      s.edge('/v1/system/health', health({ version: '1.0.0' }));
    },
  ],
  [
    'operator-token',
    'no token of the operator',
    'warning',
    /operator's token is missing/,
    /npm start/,
    (s) => rmSync(s.path('state/operator.token')),
  ],
  [
    'operator-token',
    'a revoked token',
    'error',
    /does not accept the operator's token: revoked_token/,
    /npm start/,
    (s) => s.edge('/v1/session', refused('revoked_token')),
  ],
  [
    'operator-token',
    'a variable in the place of the token that a start would make',
    'error',
    /does not accept the operator's token: unknown_token/,
    /^unset BAA_OPERATOR_TOKEN$/,
    (s) => {
      s.env.BAA_OPERATOR_TOKEN = 'baa_of-another-system';
    },
  ],
  [
    'operator-token',
    'a token of another role',
    'warning',
    /has the role readonly, and ops_admin is needed/,
    /npm start/,
    (s) => s.edge('/v1/session', session({ role: 'readonly' })),
  ],
  [
    'operator-token',
    'a token that expires soon',
    'warning',
    /\(tok_1\) expires in 3 days/,
    new RegExp(`^conductor tokens rotate tok_1 --expires-in-ms ${90 * DAY_MS} --root /`),
    (s) =>
      s.edge('/v1/tokens?limit=200', {
        items: [
          {
            ...session({ role: 'ops_admin' }),
            created_by: 'b',
            created_at: NOW - 86.5 * DAY_MS,
            revoked_at: null,
            last_used_at: null,
            expires_at: NOW + 3.5 * DAY_MS,
          },
        ],
        next_cursor: null,
      }),
  ],
  [
    'node-token',
    'a placeholder',
    'error',
    /node's token is still replace-me/,
    /npm start/,
    (s) => s.write('state/shared.token', 'replace-me'),
  ],
  [
    'node-token',
    'no token on a further host',
    'error',
    /node's token is missing/,
    /^\(umask 077; cat > .*shared.token\)$/,
    (s) => {
      furtherHost(s);
      rmSync(s.path('state/shared.token'));
    },
  ],
  [
    'node-token',
    'an expired token',
    'error',
    /does not accept the node's token: expired_token/,
    /npm start/,
    (s) => s.edgeForNode(refused('expired_token')),
  ],
  [
    'node-token',
    'the token of another node',
    'error',
    /belongs to the node other, and this node is mini-main/,
    /npm start/,
    (s) => s.edgeForNode(session({ role: 'controller', controller_id: 'other' })),
  ],
  [
    'migrations',
    'a database without the newest tables',
    'error',
    /lacks \d+ migrations: 0001_/,
    /npm start/,
    (s) => s.edge('/v1/system/health', health({ migrations: ['0000_init.sql'] })),
  ],
  [
    'migrations',
    'a deployed database without the newest tables',
    'error',
    /lacks/,
    /npm run deploy -- --root \S+$/,
    (s) => {
      deployedFrom(s, 'baa-conductor');
      s.edge('/v1/system/health', health({ migrations: [] }));
    },
  ],
  [
    'migrations',
    'a database without the newest tables that another root has deployed',
    'error',
    /lacks/,
    null,
    (s) => {
      furtherHost(s);
      s.edge('/v1/system/health', health({ migrations: [] }));
    },
  ],
  [
    'migrations',
    'a database of a later version',
    'warning',
    /does not know: 9999_later.sql/,
    /git pull/,
    (s) => s.edge('/v1/system/health', health({ migrations: [...health().migrations, '9999_later.sql'] })),
  ],
  [
    'objects',
    'an object of a later version',
    'error',
    /LeaderLease does not respond: this object ran/,
    /git pull && npm ci$/,
    (s) =>
      s.edge(
        '/v1/system/health',
        health({ objects: [{ name: 'LeaderLease', problem: 'this object ran the migration "x"' }] }),
      ),
  ],
  [
    'objects',
    'an object of a later version of staging',
    'error',
    /LeaderLease does not respond/,
    /git pull && npm ci && npm run deploy -- --root \S+ --env staging$/,
    (s) => {
      deployedFrom(s, 'baa-conductor-staging');
      s.edge('/v1/system/health', health({ objects: [{ name: 'LeaderLease', problem: 'it ran' }] }));
    },
  ],
  [
    'objects',
    'a restored database',
    'error',
    /behind its objects: term 2 and 3/,
    /restore-check --root/,
    (s) => {
      const objects = { term: 3, mode_version: 1, epoch: 0 };
      s.edge('/v1/system/health', health({ fence: { d1: { ...objects, term: 2 }, objects, is_behind: true } }));
    },
  ],
  [
    'deadlines',
    'an instruction without a deadline',
    'error',
    /instruction ins_1 \(running\) has no deadline/,
    /restore-check --force --root/,
    (s) => s.edge('/v1/system/health', overdue('instruction', 'ins_1', null)),
  ],
  [
    'deadlines',
    'an approval that never expired',
    'error',
    /approval of the instruction ins_1 .*2027-01-15/,
    /npm start/,
    (s) => s.edge('/v1/system/health', overdue('approval', 'ins_1')),
  ],
  [
    'deadlines',
    'a renewal job that never ended',
    'error',
    /renewal job rj_1/,
    /npm start/,
    (s) => s.edge('/v1/system/health', overdue('renewal_job', 'rj_1')),
  ],
  [
    'deadlines',
    'a run that is not lost',
    'error',
    /the run run_1/,
    /npm start/,
    (s) => s.edge('/v1/system/health', overdue('run', 'run_1')),
  ],
  [
    'deadlines',
    'a reply that was never given up',
    'error',
    /reply to the message msg_1/,
    /npm start/,
    (s) => s.edge('/v1/system/health', overdue('reply', 'msg_1')),
  ],
  [
    'leader',
    'no leader',
    'warning',
    /no node leads/,
    /npm start/,
    (s) => s.edge('/v1/status', status({ holder_id: null })),
  ],
  [
    'leader',
    'a drained node and no leader',
    'warning',
    /drained by a person: mini-main/,
    /nodes drain mini-main --off/,
    (s) => s.edge('/v1/status', status({ holder_id: null, node: { draining: true } })),
  ],
  [
    'leader',
    'a node without a channel',
    'warning',
    /no channel to the node mini-main/,
    /logs agent --root/,
    (s) => s.edge('/v1/status', status({ node: { presence: { connected: false, contact_age_ms: null } } })),
  ],
  [
    'leader',
    'a node that is not known',
    'warning',
    /does not know the node mini-main/,
    /logs agent --root/,
    (s) => s.edge('/v1/status', status({ nodes: [] })),
  ],
  [
    'leader',
    'a paused system',
    'note',
    /^the system is paused, as chat asked$/,
    /resume --root/,
    (s) => s.edge('/v1/status', status({ mode: 'paused', reason: 'said in a chat' })),
  ],
  [
    'firefox',
    'no Firefox',
    'warning',
    /no Firefox was found/,
    null,
    (s) => {
      s.machine.findFirefox = () => {
        throw new Error('no Firefox was found');
      };
    },
  ],
  [
    'firefox',
    'a Firefox for signed extensions',
    'warning',
    /runs only extensions that Mozilla has signed/,
    null,
    (s) => {
      s.machine.findFirefox = () => ({
        program: '/bin/firefox',
        build: { kind: 'release', version: '144.0', evidence: '' },
      });
    },
  ],
  [
    'browsers',
    'no paired browser',
    'warning',
    /no browser is paired/,
    /firefox --root/,
    (s) => s.agent(snapshot({ clients: [] })),
  ],
  [
    'browsers',
    'a browser that is closed',
    'warning',
    /no browser is connected; paired are firefox-1/,
    /firefox --root/,
    (s) => s.agent(snapshot({ clients: [{ client_id: 'firefox-1', connected: false }] })),
  ],
  [
    'browsers',
    'an extension of another version',
    'note',
    /extension of firefox-1 has version 1.0.0/,
    /firefox --root/,
    (s) => s.agent(snapshot({ clients: [{ client_id: 'firefox-1', connected: true, extension_version: '1.0.0' }] })),
  ],
  [
    'repositories',
    'a repository that is not there',
    'error',
    /repos.demo: there is no folder \/no\/such/,
    null,
    (s) => s.write('config.toml', '[repos]\ndemo = "/no/such"\n'),
  ],
  [
    'repositories',
    'a folder that is no repository',
    'error',
    /is no Git repository: not a git/,
    /git -C \S+ init && git -C \S+ commit/,
    (s) => {
      s.write('config.toml', `[repos]\ndemo = "${s.path('tmp')}"\n`);
      s.machine.askProgram = async ([, what]) =>
        what === '-C' ? { code: 128, text: 'not a git repository' } : { code: 0, text: 'git version 2.50.1' };
    },
  ],
  [
    'coding-agents',
    'a coding agent that is not installed',
    'error',
    /agents.codex: codex is in no folder of PATH/,
    null,
    (s) => {
      s.write('config.toml', '[agents.codex]\ncommand = "codex"\n');
      s.machine.findProgram = () => null;
    },
  ],
  [
    'coding-agents',
    'a file of variables that is not there',
    'error',
    /the file \/no\/such with its variables/,
    /^\(umask 077; cat > \/no\/such\)$/,
    (s) => s.write('config.toml', '[agents.codex]\ncommand = "codex"\nenv_file = "/no/such"\n'),
  ],
];

describe('a finding of doctor about edge, browsers and tasks', () => {
  itFinds(CASES, GROUPS);
});
