/**
 * What a service of this host runs, decided from the configuration of its root. Both managers write this plan in their own
 * form, and read it back to see whether a file that is installed still says the same. It holds no secret.
 */
import { delimiter, isAbsolute, join } from 'node:path';
import type { ResolvedConfig } from '../config/resolve.ts';
import { SETTING_ENTRIES } from '../config/settings.ts';
import type { SystemKind } from '../config/system-kind.ts';
import { keptPortsOf, NAMED, systemKindOf } from '../config/system-kind.ts';
import type { SystemRecord } from '../config/system-record.ts';

/** The label for launchd; systemd has the part behind the last dot. */
export const SERVICE_LABEL = 'so.makefile.baa-conductor';

export interface ServicePlan {
  kind: SystemKind;
  root: string;
  /** Why it is this kind, for people. */
  why: string;
  argv: readonly string[];
  environment: Readonly<Record<string, string>>;
  logsDir: string;
}

export interface PlanSources {
  resolved: ResolvedConfig;
  env: Readonly<Record<string, string | undefined>>;
  /** The record of the root; null when nothing was started there. */
  record: SystemRecord | null;
  /** Whether a file exists. */
  exists: (path: string) => boolean;
  /** The program of Node, as `stableNode` chooses it. */
  node: string;
  /** The folder of this program. */
  program: string;
}

/** Folders that a shell adds to its PATH for a while: those of npm scripts, and those of a version manager. */
const PASSING = /[/\\](node_modules[/\\]\.bin|node-gyp-bin)[/\\]?$|fnm_multishells/;
/** Where programs are on every system; a service that starts at login gets no more than these. */
const USUAL_PATH = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** The file that a service starts; it builds the program when its sources are newer. */
export const launcherOf = (program: string): string => join(program, 'local-agent', 'stack', 'launch.js');

/** PATH for a service: what the shell of the person has who installs it, as far as it lasts. */
export function servicePath(path: string | undefined): string {
  const own = (path ?? '').split(delimiter).filter((folder) => isAbsolute(folder) && !PASSING.test(folder));
  return [...new Set([...own, ...USUAL_PATH])].join(delimiter);
}

/** The addresses that the root has had, so that paired browsers and open pages find it again. */
function systemArguments(sources: PlanSources): string[] {
  const { edge, agent } = keptPortsOf(sources);
  return [
    ...(edge === null ? [] : ['--port', String(edge)]),
    ...(agent === null ? [] : ['--agent-port', String(agent)]),
  ];
}

/** The settings that only this call names, as variables. Those of config.toml are read at each start. */
function environmentOf(kind: SystemKind, { resolved, env, record }: PlanSources): Record<string, string> {
  const { config, origins } = resolved;
  // A root and, for a system, its addresses are arguments.
  const inArguments = new Set(kind === 'system' ? ['root', 'controlApiBase', 'localApi'] : ['root']);
  const isWritten = (key: string, origin: string): boolean =>
    !inArguments.has(key) && (origin === 'flag' || origin === 'environment');
  const settings = SETTING_ENTRIES.filter(([key, { secret }]) => secret !== true && isWritten(key, origins[key])).map(
    ([key, setting]) => [setting.env, String(config[key] ?? '')] as const,
  );
  const variables: Record<string, string> = { PATH: servicePath(env.PATH) };
  if (env.LANG) variables.LANG = env.LANG;
  // An agent whose edge was named at an earlier start only.
  if (kind === 'agent' && !NAMED.has(origins.controlApiBase) && record !== null)
    variables.BAA_CONTROL_API_BASE = record.edge_url;
  return { ...variables, ...Object.fromEntries(settings) };
}

export function planService(sources: PlanSources): ServicePlan {
  const { resolved, node, program } = sources;
  const { root, logsDir } = resolved.config;
  const decided = systemKindOf(sources);
  const rest = decided.kind === 'system' ? systemArguments(sources) : [];
  const argv = [node, launcherOf(program), decided.kind, '--root', root, ...rest];
  return { ...decided, root, argv, environment: environmentOf(decided.kind, sources), logsDir };
}

/** Whether only this call names the token of the node: a service would not have it, as its file holds no secret. */
export function isSecretMissing({ origins }: ResolvedConfig): boolean {
  return origins.sharedToken === 'flag' || origins.sharedToken === 'environment';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

/** The first text of the plan that neither form of file can hold; null when there is none. */
export function unusableText({ argv, environment, logsDir }: ServicePlan): string | null {
  return [...argv, ...Object.values(environment), logsDir].find((text) => CONTROL.test(text)) ?? null;
}

/** What a file of a service says, for a comparison. */
export interface InstalledService {
  argv: readonly string[];
  environment: Readonly<Record<string, string>>;
}

/** The root in the arguments of a service; null when it names none. */
export function rootIn({ argv }: InstalledService): string | null {
  const at = argv.indexOf('--root');
  return at < 0 ? null : (argv[at + 1] ?? null);
}
