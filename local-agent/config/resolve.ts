/**
 * Resolves the configuration. The sources, first to last: option of the command line, environment variable, config.toml,
 * (for secrets) a file in the state folder, default. Each value keeps its source, and errors name it.
 */
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import type { Above, Config, Setting, SettingKey } from './settings.ts';
import { flagOf, SETTING_ENTRIES, SETTINGS, tomlKey } from './settings.ts';

export type Origin = 'flag' | 'environment' | 'config.toml' | 'file' | 'default';
export type Origins = Record<SettingKey, Origin>;

/** Settings given as options of the command line. */
export type FlagValues = Readonly<Partial<Record<SettingKey, unknown>>>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  flags: FlagValues;
  env: Environment;
  /** Text of a file, null when it does not exist. */
  readFile: (path: string) => string | null;
}

export interface ResolvedConfig {
  config: Config;
  origins: Origins;
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

const ConfigFileSchema = z.strictObject(
  Object.fromEntries(
    SETTING_ENTRIES.filter(([key]) => key !== 'root').map(([key]) => [
      tomlKey(key),
      z.union([z.string(), z.number(), z.boolean()]).optional(),
    ]),
  ),
);

function readConfigFile(path: string, readFile: ConfigSources['readFile']): Record<string, unknown> {
  const text = readFile(path);
  if (text === null) return {};
  try {
    const checked = ConfigFileSchema.safeParse(parse(text));
    if (checked.success) return checked.data;
    throw new ConfigError(
      `${path}: ${checked.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`.trim()).join('; ')}`,
    );
  } catch (error) {
    if (error instanceof TomlError) throw new ConfigError(`${path}: ${error.message}`);
    throw error;
  }
}

function isGiven(value: unknown, setting: Setting<unknown>): boolean {
  return value !== undefined && (value !== '' || setting.emptyIsOff === true);
}

function find(
  key: SettingKey,
  sources: ConfigSources,
  configFile: Record<string, unknown>,
  stateDir: string | null,
): Found | null {
  const setting: Setting<unknown> = SETTINGS[key];
  const fromFlag = sources.flags[key];
  if (isGiven(fromFlag, setting)) return { value: fromFlag, origin: 'flag', place: `--${flagOf(key)}` };
  const fromEnv = sources.env[setting.env];
  if (isGiven(fromEnv, setting)) return { value: fromEnv, origin: 'environment', place: setting.env };
  const fromFile = configFile[tomlKey(key)];
  const place = `config.toml: ${tomlKey(key)}`;
  if (isGiven(fromFile, setting)) return { value: fromFile, origin: 'config.toml', place };
  if (setting.file === undefined || stateDir === null) return null;
  const path = join(stateDir, setting.file);
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

/**
 * Resolves every setting.
 *
 * @throws ConfigError naming each invalid value and its source.
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const problems: string[] = [];
  const origins: Partial<Origins> = {};
  const above: Above = { root: '', host: '', role: 'primary' };
  let configFile: Record<string, unknown> = {};
  const resolveSetting = <K extends SettingKey>(key: K, stateDir: string | null): Config[K] => {
    const found = find(key, sources, configFile, stateDir);
    origins[key] = found?.origin ?? 'default';
    return parseSetting(SETTINGS[key] as unknown as Setting<Config[K]>, found, above, problems);
  };
  above.root = resolveSetting('root', null);
  configFile = readConfigFile(join(above.root, 'config.toml'), sources.readFile);
  above.host = resolveSetting('host', null);
  above.role = resolveSetting('role', null);
  const stateDir = resolveSetting('stateDir', null);
  const values = SETTING_ENTRIES.map(([key]) => [key, resolveSetting(key, stateDir)] as const);
  const unique = [...new Set(problems)];
  if (unique.length > 0) throw new ConfigError(unique.join('\n'));
  return { config: Object.fromEntries(values) as unknown as Config, origins: origins as Origins };
}
