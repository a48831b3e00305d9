/** `service print` and `service install`: the file of the service, shown or put in place. */
import { optionsOf } from '../config/flags.ts';
import { SETTING_ENTRIES } from '../config/settings.ts';
import { printedCommand } from '../lib/printed-command.ts';
import { makeRoot } from '../node/folders.ts';
import type { ServiceHost, ServiceManager } from '../service/manager.ts';
import type { ServicePlan } from '../service/plan.ts';
import { isSecretMissing, rootIn, unusableText } from '../service/plan.ts';
import type { Args } from './command.ts';
import { configOf, jsonOption } from './command.ts';
import type { CommandDeps } from './deps.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { planFor, requireManager } from './host-service.ts';
import { present } from './output.ts';

/** Every setting but the secrets, which a file of a service must not hold. */
const settings = optionsOf(SETTING_ENTRIES.filter(([, one]) => !('secret' in one)).map(([key]) => key));
export const installOptions = [jsonOption, ...settings];

interface Planned {
  manager: ServiceManager;
  plan: ServicePlan;
  text: string;
  /** The record of this root names a process that runs. */
  isRunning: boolean;
  /** What prevents the service from working; null when nothing does. */
  missing: string | null;
  makeFolders: () => void;
}

/** The settings of the service that is installed for this root, which an installation keeps unless this call names others. */
function keptSettings(
  args: Args,
  deps: CommandDeps,
  { text, manager }: { text: string | null; manager: ServiceManager },
) {
  const installed = text === null ? null : manager.read(text);
  if (installed === null || rootIn(installed) !== configOf(args, deps, settings, { starts: true }).config.root)
    return {};
  return Object.fromEntries(Object.entries(installed.environment).filter(([name]) => name.startsWith('BAA_')));
}

function planned(args: Args, given: CommandDeps, host: ServiceHost): Planned {
  const manager = requireManager(host);
  const kept = keptSettings(args, given, { text: host.readFile(manager.file), manager });
  const deps = { ...given, env: { ...kept, ...given.env } };
  const resolved = configOf(args, deps, settings, { starts: true });
  const plan = planFor(resolved, host, deps);
  const unusable = unusableText(plan);
  if (unusable !== null)
    throw new UsageError(`a service cannot have ${JSON.stringify(unusable)}: it holds a control character`);
  const { root, stateDir } = resolved.config;
  const missing =
    plan.kind === 'agent' && isSecretMissing(resolved)
      ? `the token of this node is only in this call (BAA_SHARED_TOKEN), and the file of a service holds no secret: write it to ${stateDir}/shared.token, readable by you only, or set the root up with "${printedCommand(deps.env, 'init', root)}"`
      : null;
  return {
    manager,
    plan,
    text: manager.render(plan),
    isRunning: resolved.system === 'running',
    missing,
    makeFolders: () => makeRoot(resolved.config),
  };
}

/** What the service runs, and why. */
function whatRuns({ kind, root, why }: ServicePlan): string {
  const what = kind === 'system' ? 'the whole system (edge, clock and agent)' : 'the agent';
  return `${what} of ${root}, as ${why}`;
}

export async function printService(args: Args, deps: CommandDeps, host: ServiceHost): Promise<ExitCode> {
  const { manager, plan, text, missing } = planned(args, deps, host);
  const { kind, root, why } = plan;
  const { name, file } = manager;
  present(args, deps, { manager: name, file, kind, root, why, text }, () => {
    deps.warn(`"service install" would write ${file} and run ${whatRuns(plan)}. Nothing is changed now.`);
    deps.print(text.trimEnd());
  });
  if (missing !== null) deps.warn(missing);
  return EXIT.fine;
}

/** @throws UsageError when the service of this person runs another root */
function requireSameRoot(before: string | null, { manager, plan }: Planned, deps: CommandDeps): void {
  const installed = before === null ? null : manager.read(before);
  const root = installed === null ? null : rootIn(installed);
  if (root === null || root === plan.root) return;
  const uninstall = printedCommand(deps.env, 'service uninstall', root);
  throw new UsageError(
    `the service of this person runs the root ${root}, and there is only one service: name that root with --root, or remove the service first with "${uninstall}"`,
  );
}

/** Puts the file in place and starts what it says. When the manager refuses, the file of before is there again. */
async function replaceFile({ manager, text }: Planned, before: string | null, host: ServiceHost): Promise<void> {
  host.writeFile(manager.file, text);
  try {
    await manager.apply();
  } catch (error) {
    if (before === null) host.removeFile(manager.file);
    else host.writeFile(manager.file, before);
    throw error;
  }
}

const OUTCOMES = {
  installed: 'is installed and started',
  replaced: 'has changed: it is replaced and started again',
  unchanged: 'is installed already and runs',
} as const;

/** Before its installation a service cannot be what runs. */
const runsByHand = (root: string): string =>
  `${root} runs already, outside the service: end that with Ctrl-C in its terminal, and the service takes over within 10 s`;

export async function installService(args: Args, deps: CommandDeps, host: ServiceHost): Promise<ExitCode> {
  const made = planned(args, deps, host);
  const { manager, plan, text, missing } = made;
  if (missing !== null) throw new UsageError(missing);
  const before = host.readFile(manager.file);
  requireSameRoot(before, made, deps);
  made.makeFolders();
  if (before === text) await manager.start();
  else await replaceFile(made, before, host);
  const outcome = before === null ? 'installed' : before === text ? 'unchanged' : 'replaced';
  const { name, file } = manager;
  present(args, deps, { outcome, manager: name, file, kind: plan.kind, root: plan.root }, () => {
    deps.print(`the service ${OUTCOMES[outcome]}: ${file}`);
    deps.print(`it runs ${whatRuns(plan)}`);
  });
  if (outcome === 'installed' && made.isRunning) deps.warn(runsByHand(plan.root));
  for (const line of await manager.advice()) deps.warn(line);
  return EXIT.fine;
}
