/** The service of this host, for the commands `service` and `doctor`: its manager, and what would be installed. */
import type { ResolvedConfig } from '../config/resolve.ts';
import { resolveConfig } from '../config/resolve.ts';
import { readSystemRecord } from '../config/system-record.ts';
import { managerOf, serviceHost } from '../service/host.ts';
import type { ServiceHost, ServiceManager } from '../service/manager.ts';
import type { ServicePlan } from '../service/plan.ts';
import { planService, servicePath } from '../service/plan.ts';
import { stableNode } from '../service/stable-node.ts';
import type { ServiceState } from '../service/state.ts';
import { serviceState } from '../service/state.ts';
import type { CommandDeps } from './deps.ts';
import { RefusedError } from './exit-codes.ts';

/** @throws RefusedError on a platform that has no manager of services which this program knows */
export function requireManager(host: ServiceHost): ServiceManager {
  const manager = managerOf(host);
  if (manager !== null) return manager;
  throw new RefusedError(
    `services are installed on macOS (launchd) and Linux (systemd), and this is ${host.platform}: start the program by the means of this system, with "npm start"`,
  );
}

/** What `service install` would install for a configuration. */
export function planFor(
  resolved: ResolvedConfig,
  host: ServiceHost,
  { env, readFile }: Pick<CommandDeps, 'env' | 'readFile'>,
): ServicePlan {
  const path = servicePath(env.PATH);
  const node = stableNode({ ...host, path });
  const record = readSystemRecord(resolved.config.root, readFile);
  return planService({ resolved, env, record, exists: host.exists, node, program: host.program });
}

/** The variables of this process without its settings, and with those that the installed service has instead. */
function serviceEnvironment(env: CommandDeps['env'], installed: Readonly<Record<string, string>>): CommandDeps['env'] {
  const others = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('BAA_')));
  const { PATH: _installed, ...settings } = installed;
  return { ...others, LANG: undefined, ...settings };
}

/**
 * What is installed as a service and whether it fits the program and `root`; null on a platform without a manager that
 * this program knows. It changes nothing. `doctor` calls it.
 *
 * @throws ConfigError when the configuration of the root is invalid
 */
export async function hostServiceState(
  root: string,
  { env, readFile, isAlive }: Pick<CommandDeps, 'env' | 'readFile' | 'isAlive'>,
  host: ServiceHost = serviceHost(env),
): Promise<ServiceState | null> {
  const manager = managerOf(host);
  if (manager === null) return null;
  const text = host.readFile(manager.file);
  const installed = text === null ? null : manager.read(text);
  const kept = serviceEnvironment(env, installed?.environment ?? {});
  const resolved = resolveConfig({ flags: { root }, env: kept, readFile, isAlive });
  return serviceState({ manager, host, plan: planFor(resolved, host, { env: kept, readFile }) });
}
