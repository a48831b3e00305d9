/**
 * The resolved configuration: flag, then environment, then config.toml, then (for secrets) a file of the state
 * folder, then the default. Every value remembers where it came from, and a bad one is told with that place.
 */
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import type { Above, Config, Setting, SettingKey } from './settings.ts';
import { SETTING_ENTRIES, SETTINGS, tomlKey } from './settings.ts';

export type Origin = 'flag' | 'environment' | 'config.toml' | 'file' | 'default';
export type Origins = Record<SettingKey, Origin>;

/** Values of flags by their name; a missing one is undefined. */
export type FlagValues = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  flags: FlagValues;
  env: Environment;
  /** Content of a file, null when there is none. */
  readFile: (path: string) => string | null;
}

export interface ResolvedConfig {
  config: Config;
  origins: Origins;
}

/** The configuration cannot be used; each problem names its setting and where the value came from. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

interface Found {
  value: unknown;
  origin: Origin;
  /** How a person finds it again. */
  place: string;
}

const ConfigFileSchema = z.strictObject(
  Object.fromEntries(
    SETTING_ENTRIES.filter(([key]) => key !== 'root').map(([, of]) => [
      tomlKey(of),
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

function isGiven(value: unknown, of: Setting<unknown>): boolean {
  return value !== undefined && (value !== '' || of.emptyIsOff === true);
}

function find(
  of: Setting<unknown>,
  sources: ConfigSources,
  file: Record<string, unknown>,
  stateDir: string | null,
): Found | null {
  const fromFlag = sources.flags[of.flag];
  if (isGiven(fromFlag, of)) return { value: fromFlag, origin: 'flag', place: `--${of.flag}` };
  const fromEnv = sources.env[of.env];
  if (isGiven(fromEnv, of)) return { value: fromEnv, origin: 'environment', place: of.env };
  const fromFile = file[tomlKey(of)];
  if (isGiven(fromFile, of)) return { value: fromFile, origin: 'config.toml', place: `config.toml: ${tomlKey(of)}` };
  if (of.file === undefined || stateDir === null) return null;
  const path = join(stateDir, of.file);
  const content = sources.readFile(path)?.trim();
  return content ? { value: content, origin: 'file', place: path } : null;
}

/** Reads one setting; what is wrong with it goes to `problems`. */
function read<T>(of: Setting<T>, found: Found | null, above: Above, problems: string[]): T {
  if (found === null) return of.fallback(above);
  const parsed = of.schema.safeParse(found.value === '' ? null : found.value);
  if (parsed.success) return parsed.data;
  const shown = of.secret ? '' : `, got ${JSON.stringify(found.value)}`;
  problems.push(`${found.place}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}${shown}`);
  return of.fallback(above);
}

/**
 * Resolves every setting.
 *
 * @throws ConfigError naming each bad value and where it came from.
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const problems: string[] = [];
  const origins: Partial<Origins> = {};
  const above: Above = { root: '', host: '', role: 'primary' };
  let file: Record<string, unknown> = {};
  const take = <K extends SettingKey>(key: K, stateDir: string | null): Config[K] => {
    const of = SETTINGS[key] as unknown as Setting<Config[K]>;
    const found = find(of, sources, file, stateDir);
    origins[key] = found?.origin ?? 'default';
    return read(of, found, above, problems);
  };
  above.root = take('root', null);
  file = readConfigFile(join(above.root, 'config.toml'), sources.readFile);
  above.host = take('host', null);
  above.role = take('role', null);
  const stateDir = take('stateDir', null);
  const values = SETTING_ENTRIES.map(([key]) => [key, take(key, stateDir)] as const);
  const unique = [...new Set(problems)];
  if (unique.length > 0) throw new ConfigError(unique.join('\n'));
  return { config: Object.fromEntries(values) as unknown as Config, origins: origins as Origins };
}
