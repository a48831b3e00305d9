/** The property list of a launchd agent (macOS). Keys as in `man launchd.plist`. */
import { join } from 'node:path';
import { build, parse } from 'plist';
import { z } from 'zod';
import { SERVICE_LOG } from '../host/own-output.ts';
import type { InstalledService, ServicePlan } from './plan.ts';
import { SERVICE_LABEL } from './plan.ts';

/** Between two starts, when it ends again and again. */
const THROTTLE_SEC = 10;
/** Between SIGTERM and SIGKILL: longer than agent and edge take to stop. */
const EXIT_TIMEOUT_SEC = 30;
/** Files of the service belong to its user. */
const UMASK = 0o077;

export const launchdPath = (home: string): string => join(home, 'Library', 'LaunchAgents', `${SERVICE_LABEL}.plist`);

/** What the service prints; launchd does not roll it, so the service does. */
export const launchdLog = (logsDir: string): string => join(logsDir, 'service.log');

export function launchdFile({ argv, environment, root, logsDir }: ServicePlan): string {
  const keys = {
    Label: SERVICE_LABEL,
    ProgramArguments: [...argv],
    EnvironmentVariables: { ...environment, [SERVICE_LOG]: launchdLog(logsDir) },
    WorkingDirectory: root,
    RunAtLoad: true,
    KeepAlive: true,
    ThrottleInterval: THROTTLE_SEC,
    ExitTimeOut: EXIT_TIMEOUT_SEC,
    // Runners of tasks survive the agent.
    AbandonProcessGroup: true,
    // Without it, launchd limits CPU and disk of a background program, and with it those of every task.
    ProcessType: 'Interactive',
    Umask: UMASK,
    StandardOutPath: launchdLog(logsDir),
    StandardErrorPath: launchdLog(logsDir),
  };
  return `${build(keys)}\n`;
}

const InstalledSchema = z.object({
  ProgramArguments: z.array(z.string()).min(1),
  EnvironmentVariables: z.record(z.string(), z.string()).default({}),
});

/** Null when the text is no property list of a service. */
export function readLaunchdFile(text: string): InstalledService | null {
  // The parser prints what it cannot parse.
  if (!text.trimEnd().endsWith('</plist>')) return null;
  try {
    const { ProgramArguments, EnvironmentVariables } = InstalledSchema.parse(parse(text));
    const { [SERVICE_LOG]: _log, ...environment } = EnvironmentVariables;
    return { argv: ProgramArguments, environment };
  } catch {
    return null;
  }
}
