/**
 * `service`: runs a system, or an agent, as a service: it starts at login and again whenever it ends. There is one service for
 * each person. All commands but `print` and `install` act on the one that is installed.
 */
import { Option } from 'commander';
import { connectionOptions } from '../config/flags.ts';
import { serviceHost } from '../service/host.ts';
import type { ServiceHost } from '../service/manager.ts';
import type { ServiceState } from '../service/state.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, jsonOption, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT } from './exit-codes.ts';
import { hostServiceState, requireManager } from './host-service.ts';
import { installedRoot, requireInstalled } from './installed-service.ts';
import { lineCount, linesOption } from './log-options.ts';
import { present, printFields } from './output.ts';
import { installOptions, installService, printService } from './service-install.ts';
import { endService, stopOptions } from './stop-service.ts';

function loadedText({ loaded, problem }: ServiceState): string {
  if (loaded === null) return `unknown: ${problem}`;
  return loaded.pid === null ? loaded.word : `${loaded.word}, process ${loaded.pid}`;
}

async function status(args: Args, deps: CommandDeps, host: ServiceHost): Promise<ExitCode> {
  const manager = requireManager(host);
  const isNamed = optionalText(args, 'root') !== undefined || Boolean(deps.env.BAA_ROOT);
  const ownRoot = isNamed ? null : installedRoot(host, manager);
  const root = ownRoot ?? configOf(args, deps, connectionOptions).config.root;
  const state = await hostServiceState(root, deps, host);
  if (state === null) return EXIT.failed;
  present(args, deps, state, () => {
    if (!state.installed) {
      deps.print(`no service is installed (${state.file}); "service install" installs one`);
      return;
    }
    printFields(deps, {
      manager: state.manager,
      file: state.file,
      root: state.root,
      state: loadedText(state),
      'at login': state.loaded === null ? null : state.loaded.loaded ? 'starts' : 'does not start',
    });
  });
  for (const { text } of state.stale)
    deps.warn(`the file of the service is out of date: ${text}; "service install" replaces it`);
  return state.installed && state.loaded?.running === true ? EXIT.fine : EXIT.failed;
}

async function startOrRestart(
  verb: 'start' | 'restart',
  args: Args,
  deps: CommandDeps,
  host: ServiceHost,
): Promise<ExitCode> {
  const { manager, root } = requireInstalled(args, deps, host);
  if (verb === 'start') await manager.start();
  else await manager.restart();
  present(args, deps, { outcome: `${verb}ed`, root }, () =>
    deps.print(`the service of ${root} is ${verb}ed; "service status" shows whether it runs`),
  );
  return EXIT.fine;
}

async function logs(args: Args, deps: CommandDeps, host: ServiceHost): Promise<number> {
  const { manager, root } = requireInstalled(args, deps, host);
  const { logsDir } = configOf({ ...args, root }, deps, connectionOptions).config;
  return host.attach(manager.logCommand({ follow: args.follow === true, lines: lineCount(args) }, { logsDir }));
}

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  install: ['service install', 'service install --root /srv/conductor'],
  print: ['service print'],
  status: ['service status', 'service status --json'],
  start: ['service start'],
  stop: ['service stop', 'service stop --now'],
  restart: ['service restart'],
  uninstall: ['service uninstall'],
  logs: ['service logs --follow --lines 20'],
};

type HostOf = (env: CommandDeps['env']) => ServiceHost;

/** The commands; tests give them another host. */
export function serviceCommands(hostOf: HostOf): readonly CliCommand[] {
  const command = (
    name: string,
    about: string,
    options: readonly Option[],
    run: (args: Args, deps: CommandDeps, host: ServiceHost) => Promise<number>,
  ): CliCommand => ({
    name,
    about,
    options,
    examples: EXAMPLES[name] ?? [],
    run: (args, deps) => run(args, deps, hostOf(deps.env)),
  });
  const plain = [jsonOption, ...connectionOptions];
  return [
    command(
      'install',
      'write the file of the service and start it; replaces and restarts one that has changed',
      installOptions,
      installService,
    ),
    command('print', 'show the file that install would write, and change nothing', installOptions, printService),
    command('status', 'show whether the service is installed, up to date, and runs', plain, status),
    command('start', 'start the service, now and at each login', plain, (...of) => startOrRestart('start', ...of)),
    command(
      'stop',
      'move the work of this node to others, then stop the service until "service start"',
      stopOptions,
      (...of) => endService('stop', ...of),
    ),
    command('restart', 'stop and start the service; what runs continues', plain, (...of) =>
      startOrRestart('restart', ...of),
    ),
    command(
      'uninstall',
      'move the work of this node to others, then stop the service and remove it',
      stopOptions,
      (...of) => endService('uninstall', ...of),
    ),
    command(
      'logs',
      'show what the service printed, and what its manager did',
      [new Option('-f, --follow', 'follow it'), linesOption, ...connectionOptions],
      logs,
    ),
  ];
}

export const service = serviceCommands(serviceHost);
