/** What a person does next when edge or agent does not respond, or does not accept the token: which ones were asked, and why. */
import { connectionOptions } from '../config/flags.ts';
import type { ResolvedConfig } from '../config/resolve.ts';
import { placeOf } from '../config/setting-place.ts';
import { systemKindOf } from '../config/system-kind.ts';
import { readSystemRecord } from '../config/system-record.ts';
import { EdgeError } from '../edge/http-client.ts';
import { printedCommand, shellWord } from '../lib/printed-command.ts';
import type { Args } from './command.ts';
import { configOf } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { BrokenOffError } from './exit-codes.ts';

/** The address and the token of the last connection that a command has made. */
export interface Connection {
  base: string;
  token: string;
}

const REFUSED: ReadonlySet<number> = new Set([401, 403]);

function startLine(resolved: ResolvedConfig, { readFile, env }: CommandDeps): string {
  const { root } = resolved.config;
  const record = readSystemRecord(root, readFile);
  const { kind } = systemKindOf({ resolved, record, exists: (path) => readFile(path) !== null });
  return kind === 'system' ? `npm start -- --root ${shellWord(root)}` : printedCommand(env, 'start', root);
}

function describe(error: EdgeError, { base, token }: Connection, resolved: ResolvedConfig, deps: CommandDeps) {
  const { config, origins } = resolved;
  const isAgent = base === config.localApi;
  if (!isAgent && base !== config.controlApiBase) return null;
  const what = isAgent ? 'the agent' : 'the edge';
  const key = isAgent ? 'localApi' : 'controlApiBase';
  const asked = `It is ${what} of the root ${config.root} (${placeOf('root', origins.root)}); its address is from ${placeOf(key, origins[key])}`;
  const doctor = `${printedCommand(deps.env, 'doctor', config.root)} looks for the cause`;
  if (error.kind === 'network') {
    const isLocal = isAgent || origins[key] === 'system.json';
    const start = isLocal ? `If it has ended, start it: ${startLine(resolved, deps)}. ` : '';
    return `${asked}. ${start}${doctor}`;
  }
  const tokenKey = token === config.operatorToken ? 'operatorToken' : 'sharedToken';
  return `${asked}; the token is from ${placeOf(tokenKey, origins[tokenKey])}. ${doctor}`;
}

/** Null when the failure has nothing to do with where the command was sent, or with its token. */
export function nextStep(error: unknown, args: Args, deps: CommandDeps, connection: Connection | null): string | null {
  if (error instanceof BrokenOffError) return nextStep(error.cause, args, deps, connection);
  if (!(error instanceof EdgeError) || !(error.kind === 'network' || REFUSED.has(error.status))) return null;
  try {
    const resolved = configOf(args, deps, connectionOptions);
    const { controlApiBase: base, operatorToken } = resolved.config;
    return describe(error, connection ?? { base, token: operatorToken ?? '' }, resolved, deps);
  } catch {
    // The failure itself is said in any case.
    return null;
  }
}
