/** The service that is installed on this host, for the commands that act on it. */
import { printedCommand } from '../lib/printed-command.ts';
import type { ServiceHost, ServiceManager } from '../service/manager.ts';
import { rootIn } from '../service/plan.ts';
import type { Args } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { RefusedError, UsageError } from './exit-codes.ts';
import { requireManager } from './host-service.ts';

export interface InstalledHere {
  manager: ServiceManager;
  /** Which root it runs. */
  root: string;
  isSystem: boolean;
}

/** The root that the service runs; null when none is installed or its file is not ours. */
export function installedRoot(host: ServiceHost, manager: ServiceManager): string | null {
  const text = host.readFile(manager.file);
  const installed = text === null ? null : manager.read(text);
  return installed === null ? null : rootIn(installed);
}

/**
 * Null when no service is installed.
 *
 * @throws RefusedError when the file is not ours, UsageError when the service runs another root than the caller names
 */
export function findInstalled(args: Args, deps: CommandDeps, host: ServiceHost): InstalledHere | null {
  const manager = requireManager(host);
  const text = host.readFile(manager.file);
  if (text === null) return null;
  const installed = manager.read(text);
  const root = installed === null ? null : rootIn(installed);
  if (installed === null || root === null) {
    throw new RefusedError(
      `${manager.file} is not a file that "service install" wrote: look at it, move it away, and install the service again`,
    );
  }
  const named = optionalText(args, 'root') ?? (deps.env.BAA_ROOT || undefined);
  if (named !== undefined && named !== root)
    throw new UsageError(`the service of this person runs the root ${root}, not ${named}: name that root, or none`);
  return { manager, root, isSystem: installed.argv.includes('system') };
}

/** @throws Error when no service is installed, and as `findInstalled` does */
export function requireInstalled(args: Args, deps: CommandDeps, host: ServiceHost): InstalledHere {
  const found = findInstalled(args, deps, host);
  if (found !== null) return found;
  const install = printedCommand(deps.env, 'service install', optionalText(args, 'root'));
  throw new Error(`no service is installed; "${install}" installs one`);
}
