/** The variables of a coding agent that its configuration names. Its keys are read at each start, and kept in no file. */
import type { AgentSettings } from '../config/agent-settings.ts';
import type { AgentVariables } from './executor.ts';

export interface VariableSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Text of a file, null when it does not exist. */
  readFile: (path: string) => string | null;
  /** Permission bits of a file, null when it does not exist. */
  permissionsOf: (path: string) => number | null;
}

const OTHERS = 0o077;
const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** Lines of the form NAME=value; a value may be quoted. */
export function parseEnvFile(text: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const trimmed = value.trim();
    env[name] = /^(["']).*\1$/.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
  }
  return env;
}

function readEnvFile(path: string, { readFile, permissionsOf }: VariableSources) {
  const text = readFile(path);
  if (text === null) return { problem: `env_file: ${path} does not exist` };
  if (((permissionsOf(path) ?? 0) & OTHERS) !== 0) {
    return { problem: `env_file: ${path} can be read by others; run chmod 600 ${path}` };
  }
  return parseEnvFile(text);
}

export function agentVariables(
  settings: AgentSettings,
  sources: VariableSources,
): AgentVariables | { problem: string } {
  const given: Record<string, string> = {};
  for (const name of settings.env_from) {
    const value = sources.env[name];
    if (!value)
      return { problem: `env_from: the agent of this host has no variable ${name}; set it and restart the agent` };
    given[name] = value;
  }
  const file = settings.env_file === undefined ? {} : readEnvFile(settings.env_file, sources);
  if ('problem' in file && typeof file.problem === 'string') return { problem: file.problem };
  const secrets = { ...given, ...(file as Record<string, string>) };
  return { env: { ...settings.env, ...secrets }, secretNames: Object.keys(secrets) };
}
