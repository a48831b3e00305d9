/**
 * The table of all settings of the agent: environment variable, default and parser of each. The options of the command
 * line, `conductor config` and the schema of config.toml derive from it. Setting `leaseTtlSec` is `--lease-ttl-sec` as an
 * option and `lease_ttl_sec` in config.toml. The default of a setting may depend on the settings above it.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { ControllerIdSchema, HostSchema } from '../../schema/contracts/common.ts';
import type { EdgeSettingKey } from '../../schema/contracts/edge-settings.ts';
import { EDGE_SETTINGS, isChoice } from '../../schema/contracts/edge-settings.ts';
import { NodeRoleSchema } from '../../schema/contracts/nodes.ts';
import {
  BRIDGE,
  CHANNEL,
  DELIVERY,
  INSTRUCTION,
  LEASE,
  NODE_RUNS,
  SNAPSHOT_JOURNAL_ENTRIES,
} from '../../schema/defaults.ts';
import { machineName } from '../host/own-files.ts';
import { defaultRoot, NODE_TOKEN_FILE, OPERATOR_TOKEN_FILE } from './root-files.ts';
import type { SystemRecord } from './system-record.ts';
import { flag, folder, httpUrl, integer, searchPath, secret } from './values.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The settings that defaults may depend on. */
export interface Above {
  root: string;
  host: string;
  role: z.infer<typeof NodeRoleSchema>;
}

export interface Setting<T> {
  /** Environment variable. */
  env: string;
  about: string;
  /** The value is never shown. */
  secret?: true;
  /** File in the state folder that holds the value when no other source has it. */
  file?: string;
  /** The entry of the running system's record that is used before the default. */
  record?: keyof SystemRecord;
  /** An empty value turns the feature off, instead of counting as missing. */
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

/** A setting of the edge; `npm start` passes it on. */
function edgeSetting(key: EdgeSettingKey): Setting<number> {
  const { env, about, min, fallback } = EDGE_SETTINGS[key];
  return setting({
    env,
    about,
    schema: integer(min, Number.MAX_SAFE_INTEGER).refine(isChoice(key), 'a value that its description names'),
    fallback: () => fallback,
  });
}

export const SETTINGS = {
  root: setting({
    env: 'BAA_ROOT',
    about: 'folder for everything this node keeps',
    schema: folder,
    fallback: defaultRoot,
  }),
  host: setting({
    env: 'BAA_CONDUCTOR_HOST',
    about: 'name of this host',
    schema: HostSchema,
    fallback: () => machineName(),
  }),
  role: setting({
    env: 'BAA_CONDUCTOR_ROLE',
    about: 'primary or standby',
    schema: NodeRoleSchema,
    fallback: (): z.infer<typeof NodeRoleSchema> => 'standby',
  }),
  nodeId: setting({
    env: 'BAA_NODE_ID',
    about: 'id of this node (default: the one that its token is bound to)',
    record: 'node_id',
    schema: ControllerIdSchema,
    fallback: ({ host, role }) => `${host}-${role === 'primary' ? 'main' : 'standby'}`,
  }),
  controlApiBase: setting({
    env: 'BAA_CONTROL_API_BASE',
    about: 'address of the edge',
    record: 'edge_url',
    schema: httpUrl,
    fallback: () => 'http://127.0.0.1:8787',
  }),
  localApi: setting({
    env: 'BAA_CONDUCTOR_LOCAL_API',
    about: 'loopback address of the bridge and the local API; empty turns both off',
    emptyIsOff: true,
    record: 'agent_url',
    schema: httpUrl.nullable(),
    fallback: () => BRIDGE.default_local_api,
  }),
  sharedToken: setting({
    env: 'BAA_SHARED_TOKEN',
    about: "this node's controller token",
    secret: true,
    file: NODE_TOKEN_FILE,
    schema: optionalSecret,
    fallback: () => null,
  }),
  operatorToken: setting({
    env: 'BAA_OPERATOR_TOKEN',
    about: "the operator's token, for the command line",
    secret: true,
    file: OPERATOR_TOKEN_FILE,
    schema: optionalSecret,
    fallback: () => null,
  }),
  priority: setting({
    env: 'BAA_CONDUCTOR_PRIORITY',
    about: 'order among candidates for the lease, higher first',
    schema: integer(0, 1_000),
    fallback: ({ role }) => (role === 'primary' ? 100 : 50),
  }),
  version: setting({
    env: 'BAA_CONDUCTOR_VERSION',
    about: 'version that this node reports',
    schema: z.string().trim().min(1).max(64).nullable(),
    fallback: () => null,
  }),
  preferred: setting({
    env: 'BAA_CONDUCTOR_PREFERRED',
    about: 'prefer this node as the leader',
    boolean: true,
    schema: flag,
    fallback: ({ role }) => role === 'primary',
  }),
  heartbeatIntervalMs: setting({
    env: 'BAA_CONDUCTOR_HEARTBEAT_INTERVAL_MS',
    about: 'interval of the pings over the channel',
    schema: interval,
    fallback: () => CHANNEL.ping_interval_ms,
  }),
  leaseRenewIntervalMs: setting({
    env: 'BAA_CONDUCTOR_LEASE_RENEW_INTERVAL_MS',
    about: 'interval of lease renewals',
    schema: interval,
    fallback: () => LEASE.renew_interval_ms,
  }),
  leaseTtlSec: setting({
    env: 'BAA_CONDUCTOR_LEASE_TTL_SEC',
    about: 'lifetime of the lease',
    schema: integer(LEASE.ttl_min_sec, LEASE.ttl_max_sec),
    fallback: () => LEASE.ttl_sec,
  }),
  renewFailureThreshold: setting({
    env: 'BAA_CONDUCTOR_RENEW_FAILURE_THRESHOLD',
    about: 'failed renewals before the node is degraded',
    schema: integer(1, 100),
    fallback: () => LEASE.renew_failure_threshold,
  }),
  runsDir: setting({
    env: 'BAA_RUNS_DIR',
    about: 'folder for run files',
    schema: folder,
    fallback: under('runs'),
  }),
  worktreesDir: setting({
    env: 'BAA_WORKTREES_DIR',
    about: 'folder for git worktrees',
    schema: folder,
    fallback: under('worktrees'),
  }),
  runsBudgetMib: setting({
    env: 'BAA_RUNS_BUDGET_MIB',
    about: 'MiB that run files and worktrees may take; more removes those of the oldest ended tasks',
    schema: integer(1, 1_000_000_000),
    fallback: () => NODE_RUNS.budget_mib,
  }),
  logsDir: setting({ env: 'BAA_LOGS_DIR', about: 'folder for logs', schema: folder, fallback: under('logs') }),
  stateDir: setting({
    env: 'BAA_STATE_DIR',
    about: 'folder for the SQLite file and tokens',
    schema: folder,
    fallback: under('state'),
  }),
  tmpDir: setting({
    env: 'BAA_TMP_DIR',
    about: 'folder for temporary files',
    schema: folder,
    fallback: under('tmp'),
  }),
  instructionTimeoutMs: setting({
    env: 'BAA_INSTRUCTION_TIMEOUT_MS',
    about: 'time limit of an instruction',
    schema: integer(1_000, DAY_MS),
    fallback: () => INSTRUCTION.timeout_ms,
  }),
  execInstructionTimeoutMs: setting({
    env: 'BAA_EXEC_INSTRUCTION_TIMEOUT_MS',
    about: 'time limit of an exec instruction',
    schema: integer(1_000, DAY_MS),
    fallback: () => INSTRUCTION.exec_timeout_ms,
  }),
  executionJournalLimit: setting({
    env: 'BAA_EXECUTION_JOURNAL_LIMIT',
    about: 'recent messages and executions in a snapshot',
    schema: integer(1, 1_000),
    fallback: () => SNAPSHOT_JOURNAL_ENTRIES,
  }),
  programPath: setting({
    env: 'BAA_PROGRAM_PATH',
    about: "PATH of the programs that exec starts; without it the agent's own, without folders that a chat can write",
    schema: searchPath.nullable(),
    fallback: () => null,
  }),
  deliveryInlineThreshold: setting({
    env: 'BAA_DELIVERY_INLINE_THRESHOLD',
    about: 'characters of outputs in a reply, shared by its instructions',
    schema: integer(100, 100_000),
    fallback: () => DELIVERY.reply_chars,
  }),
  timedJobsIntervalMs: edgeSetting('timedJobsIntervalMs'),
  timedJobsSettleDelayMs: edgeSetting('timedJobsSettleDelayMs'),
  timedJobsMaxMessagesPerTick: edgeSetting('timedJobsMaxMessagesPerTick'),
  timedJobsMaxTasksPerTick: edgeSetting('timedJobsMaxTasksPerTick'),
  instructionMaxAgeMs: edgeSetting('instructionMaxAgeMs'),
  textsKeptDays: edgeSetting('textsKeptDays'),
} as const satisfies Record<EdgeSettingKey, unknown> & Record<string, unknown>;

export type SettingKey = keyof typeof SETTINGS;
export type Config = { -readonly [K in SettingKey]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/** The table as a list, for code that handles all settings the same way. */
export const SETTING_ENTRIES = Object.entries(SETTINGS) as [SettingKey, Setting<Config[SettingKey]>][];

/** The name of the option, without its dashes. */
export function flagOf(key: SettingKey): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The key in config.toml. */
export function tomlKey(key: SettingKey): string {
  return flagOf(key).replaceAll('-', '_');
}
