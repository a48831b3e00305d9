/**
 * Every setting of the agent, once: its flag, its variable, its default and how it is read. The command line's
 * arguments, `conductor config` and the schema of config.toml derive from this table. A setting's default may use
 * those above it. In config.toml its key is the flag with underscores.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { ControllerIdSchema, HostSchema } from '../../schema/contracts/common.ts';
import { NodeRoleSchema } from '../../schema/contracts/nodes.ts';
import { BRIDGE, CHANNEL, DELIVERY, INSTRUCTION, LEASE, SNAPSHOT_JOURNAL_ENTRIES } from '../../schema/defaults.ts';
import { flag, folder, httpUrl, integer, secret } from './values.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What defaults may depend on. */
export interface Above {
  root: string;
  host: string;
  role: z.infer<typeof NodeRoleSchema>;
}

export interface Setting<T> {
  flag: string;
  env: string;
  about: string;
  /** Sent and stored, never shown. */
  secret?: true;
  /** The file under the state folder that holds it when nothing else names it. */
  file?: string;
  /** An empty value is a decision of its own and not the same as none: it turns the thing off. */
  emptyIsOff?: true;
  boolean?: true;
  schema: z.ZodType<T, unknown>;
  fallback: (above: Above) => NoInfer<T>;
}

function setting<T>(of: Setting<T>): Setting<T> {
  return of;
}

const optionalSecret = secret.nullable();
const interval = integer(100, HOUR_MS);
const under = (name: string) => (above: Above) => join(above.root, name);

export const SETTINGS = {
  root: setting({
    flag: 'root',
    env: 'BAA_ROOT',
    about: 'runtime root',
    schema: folder,
    fallback: () => folder.parse('~/.baa'),
  }),
  host: setting({
    flag: 'host',
    env: 'BAA_CONDUCTOR_HOST',
    about: 'name of this host',
    schema: HostSchema,
    fallback: () => 'localhost',
  }),
  role: setting({
    flag: 'role',
    env: 'BAA_CONDUCTOR_ROLE',
    about: 'primary or standby',
    schema: NodeRoleSchema,
    fallback: (): z.infer<typeof NodeRoleSchema> => 'primary',
  }),
  nodeId: setting({
    flag: 'node-id',
    env: 'BAA_NODE_ID',
    about: 'id of this node, as its token is bound to it',
    schema: ControllerIdSchema,
    fallback: ({ host, role }) => `${host}-${role === 'primary' ? 'main' : 'standby'}`,
  }),
  controlApiBase: setting({
    flag: 'control-api-base',
    env: 'BAA_CONTROL_API_BASE',
    about: 'address of the edge',
    schema: httpUrl,
    fallback: () => 'http://127.0.0.1:8787',
  }),
  localApi: setting({
    flag: 'local-api',
    env: 'BAA_CONDUCTOR_LOCAL_API',
    about: 'loopback address of the bridge and the local API; empty turns both off',
    emptyIsOff: true,
    schema: httpUrl.nullable(),
    fallback: () => BRIDGE.default_local_api,
  }),
  sharedToken: setting({
    flag: 'shared-token',
    env: 'BAA_SHARED_TOKEN',
    about: "this node's controller token",
    secret: true,
    file: 'shared.token',
    schema: optionalSecret,
    fallback: () => null,
  }),
  operatorToken: setting({
    flag: 'operator-token',
    env: 'BAA_OPERATOR_TOKEN',
    about: "the operator's token, for the command line",
    secret: true,
    file: 'operator.token',
    schema: optionalSecret,
    fallback: () => null,
  }),
  priority: setting({
    flag: 'priority',
    env: 'BAA_CONDUCTOR_PRIORITY',
    about: 'order among candidates, higher first',
    schema: integer(0, 1_000),
    fallback: ({ role }) => (role === 'primary' ? 100 : 50),
  }),
  version: setting({
    flag: 'version',
    env: 'BAA_CONDUCTOR_VERSION',
    about: 'version this node reports',
    schema: z.string().trim().min(1).max(64).nullable(),
    fallback: () => null,
  }),
  preferred: setting({
    flag: 'preferred',
    env: 'BAA_CONDUCTOR_PREFERRED',
    about: 'whether this node should lead when it can',
    boolean: true,
    schema: flag,
    fallback: ({ role }) => role === 'primary',
  }),
  heartbeatIntervalMs: setting({
    flag: 'heartbeat-interval-ms',
    env: 'BAA_CONDUCTOR_HEARTBEAT_INTERVAL_MS',
    about: 'ping over the channel',
    schema: interval,
    fallback: () => CHANNEL.ping_interval_ms,
  }),
  leaseRenewIntervalMs: setting({
    flag: 'lease-renew-interval-ms',
    env: 'BAA_CONDUCTOR_LEASE_RENEW_INTERVAL_MS',
    about: 'lease renewal',
    schema: interval,
    fallback: () => LEASE.renew_interval_ms,
  }),
  leaseTtlSec: setting({
    flag: 'lease-ttl-sec',
    env: 'BAA_CONDUCTOR_LEASE_TTL_SEC',
    about: 'life of the lease',
    schema: integer(LEASE.ttl_min_sec, LEASE.ttl_max_sec),
    fallback: () => LEASE.ttl_sec,
  }),
  renewFailureThreshold: setting({
    flag: 'renew-failure-threshold',
    env: 'BAA_CONDUCTOR_RENEW_FAILURE_THRESHOLD',
    about: 'failed renewals before degraded',
    schema: integer(1, 100),
    fallback: () => LEASE.renew_failure_threshold,
  }),
  runsDir: setting({
    flag: 'runs-dir',
    env: 'BAA_RUNS_DIR',
    about: 'run files',
    schema: folder,
    fallback: under('runs'),
  }),
  worktreesDir: setting({
    flag: 'worktrees-dir',
    env: 'BAA_WORKTREES_DIR',
    about: 'git worktrees',
    schema: folder,
    fallback: under('worktrees'),
  }),
  logsDir: setting({ flag: 'logs-dir', env: 'BAA_LOGS_DIR', about: 'logs', schema: folder, fallback: under('logs') }),
  stateDir: setting({
    flag: 'state-dir',
    env: 'BAA_STATE_DIR',
    about: 'SQLite file and tokens',
    schema: folder,
    fallback: under('state'),
  }),
  tmpDir: setting({
    flag: 'tmp-dir',
    env: 'BAA_TMP_DIR',
    about: 'temporary files',
    schema: folder,
    fallback: under('tmp'),
  }),
  instructionTimeoutMs: setting({
    flag: 'instruction-timeout-ms',
    env: 'BAA_INSTRUCTION_TIMEOUT_MS',
    about: 'time limit of an instruction',
    schema: integer(1_000, DAY_MS),
    fallback: () => INSTRUCTION.timeout_ms,
  }),
  execInstructionTimeoutMs: setting({
    flag: 'exec-instruction-timeout-ms',
    env: 'BAA_EXEC_INSTRUCTION_TIMEOUT_MS',
    about: 'time limit of an exec instruction',
    schema: integer(1_000, DAY_MS),
    fallback: () => INSTRUCTION.exec_timeout_ms,
  }),
  executionJournalLimit: setting({
    flag: 'execution-journal-limit',
    env: 'BAA_EXECUTION_JOURNAL_LIMIT',
    about: 'entries of the journal in a snapshot',
    schema: integer(1, 1_000),
    fallback: () => SNAPSHOT_JOURNAL_ENTRIES,
  }),
  deliveryInlineThreshold: setting({
    flag: 'delivery-inline-threshold',
    env: 'BAA_DELIVERY_INLINE_THRESHOLD',
    about: 'characters of a result delivered inline',
    schema: integer(100, 100_000),
    fallback: () => DELIVERY.inline_chars,
  }),
} as const;

export type SettingKey = keyof typeof SETTINGS;
export type Config = { -readonly [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/** A table entry seen without its type, for what treats all settings alike. */
export const SETTING_ENTRIES = Object.entries(SETTINGS) as [SettingKey, Setting<Config[SettingKey]>][];

/** The key in config.toml. */
export function tomlKey(of: { flag: string }): string {
  return of.flag.replaceAll('-', '_');
}
