/**
 * Resolves the configuration. The sources, first to last: option of the command line, environment variable, config.toml,
 * (for addresses and the node id) the record of the running system, (for secrets) a file in the state folder, default.
 * Each value keeps its source, and errors name it.
 */
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { checkValue, fieldIssues } from '../../schema/contracts/issues.ts';
import { stillRuns } from '../host/process-start.ts';
import type { HostTables } from './host-tables.ts';
import { HOST_TABLES, HostTablesSchema } from './host-tables.ts';
import { candidateRoots } from './known-roots.ts';
import { configPathOf } from './root-files.ts';
import type { Above, Config, Setting, SettingKey } from './settings.ts';
import { flagOf, SETTING_ENTRIES, SETTINGS, tomlKey } from './settings.ts';
import type { IsAlive, SystemRecord } from './system-record.ts';
import { isRunning, readSystemRecord } from './system-record.ts';

export type Origin = 'flag' | 'environment' | 'config.toml' | 'system.json' | 'roots.json' | 'file' | 'default';
export type Origins = Record<SettingKey, Origin>;

/** Settings given as options of the command line. */
export type FlagValues = Readonly<Partial<Record<SettingKey, unknown>>>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  flags: FlagValues;
  env: Environment;
  /** Text of a file, null when it does not exist. */
  readFile: (path: string) => string | null;
  /** Whether a process still runs. */
  isAlive?: IsAlive;
  /** Without a root, means the running system of this machine, as a command does that does not start one. */
  findsRunning?: boolean;
}

/** What the record of the root says: no system was started there, one runs, or the last one has ended. */
export type SystemState = 'unknown' | 'running' | 'stopped';

export interface ResolvedConfig {
  config: Config;
  origins: Origins;
  system: SystemState;
}

/** The configuration is invalid. The message has one line per problem, with the setting and the source of its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

interface Found {
  value: unknown;
  origin: Origin;
  /** The source as an error message names it: option, variable, key of config.toml or path. */
  place: string;
}

const ConfigFileSchema = z.strictObject({
  ...Object.fromEntries(
    SETTING_ENTRIES.filter(([key]) => key !== 'root').map(([key]) => [
      tomlKey(key),
      z.union([z.string(), z.number(), z.boolean()]).optional(),
    ]),
  ),
  ...HOST_TABLES,
});

/** Every problem of the file, and where the names are when one of them is none. */
function fileProblems(error: z.core.$ZodError): string {
  const problems = fieldIssues(error, 'the file', error.issues.length)
    .map(({ field, expected }) => `${field}: ${expected}`)
    .join('; ');
  const hasWrongName = error.issues.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0);
  return hasWrongName
    ? `${problems}. conductor config --help lists the settings: --runs-dir there is runs_dir here`
    : problems;
}

function readConfigFile(path: string, readFile: ConfigSources['readFile']): Record<string, unknown> {
  const text = readFile(path);
  if (text === null) return {};
  try {
    const checked = checkValue(ConfigFileSchema, parse(text));
    if (checked.success) return checked.data;
    throw new ConfigError(`${path}: ${fileProblems(checked.error)}`);
  } catch (error) {
    if (error instanceof TomlError) throw new ConfigError(`${path}: ${error.message}`);
    throw error;
  }
}

function isGiven(value: unknown, setting: Setting<unknown>): boolean {
  return value !== undefined && (value !== '' || setting.emptyIsOff === true);
}

/** The sources besides options and environment, as far as they are read. */
interface Files {
  /** The root of the running system. */
  runningRoot: string | null;
  toml: Record<string, unknown>;
  record: Partial<SystemRecord>;
  stateDir: string | null;
}

function find(key: SettingKey, sources: ConfigSources, files: Files): Found | null {
  const setting: Setting<unknown> = SETTINGS[key];
  const fromFlag = sources.flags[key];
  if (isGiven(fromFlag, setting)) return { value: fromFlag, origin: 'flag', place: `--${flagOf(key)}` };
  const fromEnv = sources.env[setting.env];
  if (isGiven(fromEnv, setting)) return { value: fromEnv, origin: 'environment', place: setting.env };
  if (key === 'root' && files.runningRoot !== null)
    return { value: files.runningRoot, origin: 'roots.json', place: 'roots.json' };
  const fromFile = files.toml[tomlKey(key)];
  const place = `config.toml: ${tomlKey(key)}`;
  if (isGiven(fromFile, setting)) return { value: fromFile, origin: 'config.toml', place };
  const recorded = setting.record === undefined ? null : (files.record[setting.record] ?? null);
  if (recorded !== null) return { value: recorded, origin: 'system.json', place: 'state/system.json' };
  if (setting.file === undefined || files.stateDir === null) return null;
  const path = join(files.stateDir, setting.file);
  const content = sources.readFile(path)?.trim();
  return content ? { value: content, origin: 'file', place: path } : null;
}

/** Parses one setting. An invalid value is added to `problems` and replaced by the default. */
function parseSetting<T>(setting: Setting<T>, found: Found | null, above: Above, problems: string[]): T {
  if (found === null) return setting.fallback(above);
  const parsed = setting.schema.safeParse(found.value === '' ? null : found.value);
  if (parsed.success) return parsed.data;
  const got = setting.secret ? '' : `, got ${JSON.stringify(found.value)}`;
  problems.push(`${found.place}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}${got}`);
  return setting.fallback(above);
}

/** The root of the only running system, when no source names a root. @throws ConfigError when there are several */
function findRunningRoot({ flags, env, readFile, isAlive = stillRuns, findsRunning }: ConfigSources) {
  if (findsRunning !== true || isGiven(flags.root, SETTINGS.root) || isGiven(env.BAA_ROOT, SETTINGS.root)) return null;
  const roots = candidateRoots(readFile, isAlive);
  if (roots.length <= 1) return roots[0] ?? null;
  throw new ConfigError(`several systems run on this machine; name one with --root: ${roots.join(', ')}`);
}

/** What the record says: the node id always, the addresses only while its process runs. */
function readRecord({ readFile, isAlive }: ConfigSources, root: string): [SystemState, Partial<SystemRecord>] {
  try {
    const record = readSystemRecord(root, readFile);
    if (record === null) return ['unknown', {}];
    return isRunning(record, isAlive) ? ['running', record] : ['stopped', { node_id: record.node_id }];
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Resolves every setting.
 *
 * @throws ConfigError naming each invalid value and its source.
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const problems: string[] = [];
  const origins: Partial<Origins> = {};
  const above: Above = { root: '', host: '', role: 'standby' };
  const files: Files = { runningRoot: findRunningRoot(sources), toml: {}, record: {}, stateDir: null };
  const resolveSetting = <K extends SettingKey>(key: K): Config[K] => {
    const found = find(key, sources, files);
    origins[key] = found?.origin ?? 'default';
    return parseSetting(SETTINGS[key] as unknown as Setting<Config[K]>, found, above, problems);
  };
  above.root = resolveSetting('root');
  files.toml = readConfigFile(configPathOf(above.root), sources.readFile);
  const [system, record] = readRecord(sources, above.root);
  files.record = record;
  above.host = resolveSetting('host');
  above.role = resolveSetting('role');
  files.stateDir = resolveSetting('stateDir');
  const values = SETTING_ENTRIES.map(([key]) => [key, resolveSetting(key)] as const);
  const unique = [...new Set(problems)];
  if (unique.length > 0) throw new ConfigError(unique.join('\n'));
  return { config: Object.fromEntries(values) as unknown as Config, origins: origins as Origins, system };
}

/** The tables of config.toml that are no settings. @throws ConfigError as `resolveConfig` does */
export function readHostTables(root: string, readFile: ConfigSources['readFile']): HostTables {
  return HostTablesSchema.parse(readConfigFile(configPathOf(root), readFile));
}
