/** `uninstall`: removes the service and what this program keeps in a root, after it has shown exactly that. */
import { Option } from 'commander';
import type { UninstallPlan } from '../backup/uninstall-plan.ts';
import { planUninstall, removeOwn } from '../backup/uninstall-plan.ts';
import { connectionOptions } from '../config/flags.ts';
import { forgetRoot, knownRoots } from '../config/known-roots.ts';
import { readSystemRecord } from '../config/system-record.ts';
import { homeFolder } from '../host/own-files.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';
import { printedCommand } from '../lib/printed-command.ts';
import { managerOf, serviceHost } from '../service/host.ts';
import type { ServiceHost } from '../service/manager.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { EXIT, RefusedError } from './exit-codes.ts';
import { installedRoot } from './installed-service.ts';
import { present } from './output.ts';
import { endService } from './stop-service.ts';

/** Whether the service of this person runs that root. */
function hasService(root: string, host: ServiceHost): boolean {
  const manager = managerOf(host);
  return manager !== null && installedRoot(host, manager) === root;
}

function printPlan(deps: CommandDeps, { root, removes, keeps }: UninstallPlan, ofService: boolean): void {
  deps.warn(`This is removed from ${root}:`);
  if (ofService) deps.warn('  the service that starts it at login');
  for (const name of removes) deps.warn(`  ${name}`);
  if (removes.includes('runs'))
    deps.warn('  (a step that runs now loses its run folder: "nodes drain" moves work first)');
  if (removes.includes('worktrees')) deps.warn('  (changes in worktrees that no commit has are lost)');
  if (keeps.length > 0) deps.warn(`This stays: ${keeps.join(', ')}`);
}

/** @throws RefusedError when there is no terminal to ask at, or the person says no */
async function requireYes(args: Args, deps: CommandDeps, { root }: UninstallPlan): Promise<void> {
  if (args.yes === true) return;
  if (deps.prompts === null) {
    throw new RefusedError(
      `nothing was removed: there is no terminal to ask at. To remove it: ${printedCommand(deps.env, 'uninstall --yes', root)}`,
    );
  }
  if (!(await deps.prompts.confirm(`Remove this from ${root}?`))) throw new RefusedError('nothing was removed');
}

async function requireStopped(args: Args, deps: CommandDeps, root: string, host: ServiceHost): Promise<boolean> {
  if (hasService(root, host)) {
    const quiet = { ...deps, print: deps.warn };
    if ((await endService('uninstall', { ...args, json: undefined, root, now: true }, quiet, host)) !== EXIT.fine)
      return false;
  }
  const { system } = configOf({ ...args, root }, deps, connectionOptions);
  if (system !== 'running') return true;
  const pid = readSystemRecord(root, deps.readFile)?.pid;
  deps.warn(
    `nothing of ${root} was removed: its system runs as process ${pid}. Stop it with Ctrl-C where it runs, and try again`,
  );
  return false;
}

/** The command; tests give it another host. */
export function uninstallCommand(hostOf: (env: CommandDeps['env']) => ServiceHost): CliCommand {
  return {
    name: 'uninstall',
    about: 'remove the service, and what this program keeps in a root; the workspace and your own files stay',
    options: [
      jsonOption,
      new Option('--yes', 'do not ask'),
      new Option('--purge', 'remove everything in the root, the workspace and your own files too'),
      ...connectionOptions,
    ],
    examples: ['uninstall', 'uninstall --root ~/other --yes', 'uninstall --purge'],
    run: async (args, deps) => {
      const host = hostOf(deps.env);
      const { root } = configOf(args, deps, connectionOptions).config;
      const otherRoots = knownRoots(deps.readFile).filter((one) => one !== root);
      const around = { home: homeFolder(), program: PROGRAM_FOLDER, otherRoots };
      const plan = planUninstall(root, args.purge === true, around);
      printPlan(deps, plan, hasService(root, host));
      await requireYes(args, deps, plan);
      if (!(await requireStopped(args, deps, root, host))) return EXIT.failed;
      await removeOwn(plan);
      forgetRoot(root);
      present(args, deps, plan, () => {
        deps.print(`${root}: removed ${plan.removes.join(', ')}`);
        deps.print(
          `The program stays in ${PROGRAM_FOLDER}: remove that folder, and run "npm unlink -g baa-conductor" if you have linked it.`,
        );
        deps.print(
          'A token of this node stays valid at a deployed edge until you revoke it there (tokens list, tokens revoke).',
        );
      });
      return EXIT.fine;
    },
  };
}

export const uninstall: CliCommand = uninstallCommand(serviceHost);
