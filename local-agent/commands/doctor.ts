/** `doctor`: looks for what is wrong on this machine and at the edge, says why it matters and what to do about it. */
import { join } from 'node:path';
import { Option } from 'commander';
import { connectionOptions } from '../config/flags.ts';
import type { ResolvedConfig } from '../config/resolve.ts';
import { AGENT_DATABASE, defaultRoot } from '../config/root-files.ts';
import { SETTINGS } from '../config/settings.ts';
import type { Group, Severity } from '../doctor/check.ts';
import { GROUPS } from '../doctor/check.ts';
import { CHECKS } from '../doctor/checks.ts';
import type { Machine } from '../doctor/machine.ts';
import { systemMachine } from '../doctor/machine.ts';
import type { CheckReport, DoctorReport, FindingReport } from '../doctor/report.ts';
import { runChecks, summarize } from '../doctor/run-checks.ts';
import { World } from '../doctor/world.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { hostServiceState } from './host-service.ts';
import { present, printProse, styled } from './output.ts';

const GROUP_TITLES: Readonly<Record<Group, string>> = {
  program: 'Program',
  files: 'Files',
  system: 'System on this machine',
  edge: 'Edge',
  browsers: 'Browsers',
  tasks: 'Tasks',
};
const SIGNS: Readonly<Record<Severity, { sign: string; style: 'red' | 'yellow' | 'dim' }>> = {
  error: { sign: '✗', style: 'red' },
  warning: { sign: '!', style: 'yellow' },
  note: { sign: '·', style: 'dim' },
};

function resolve(args: Args, deps: CommandDeps): ResolvedConfig | Error {
  try {
    return configOf(args, deps, connectionOptions);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The root that is meant, known also when the configuration in it is invalid. */
function rootOf(args: Args, deps: CommandDeps): string {
  const named = SETTINGS.root.schema.safeParse(optionalText(args, 'root') ?? deps.env.BAA_ROOT);
  return named.success ? named.data : defaultRoot();
}

function forget(args: Args, deps: CommandDeps): void {
  const path = join(configOf(args, deps, connectionOptions).config.stateDir, AGENT_DATABASE);
  const count = deps.modeOf(path) === null ? 0 : systemMachine(deps.env, async () => null).forgetRefused(path);
  deps.warn(`${counted(count, 'refused request')} forgotten`);
}

/** Makes all checks of the root that the options mean. `machine`: what a test lets this machine say. */
export async function examine(
  args: Args,
  deps: CommandDeps,
  { fix, machine: other }: { fix: boolean; machine?: Partial<Machine> },
): Promise<DoctorReport> {
  const serviceOf = (root: string) => hostServiceState(root, deps);
  const machine = {
    ...systemMachine(deps.env, serviceOf),
    isAlive: deps.isAlive,
    readFile: deps.readFile,
    modeOf: deps.modeOf,
    ...other,
  };
  const newWorld = (): World => {
    const resolved = resolve(args, deps);
    const root = resolved instanceof Error ? rootOf(args, deps) : resolved.config.root;
    const { env, version, connect, clock } = deps;
    return new World({ env, version, connect, machine, resolved, root, now: () => clock.now() });
  };
  const checks = await runChecks({ checks: CHECKS, newWorld, clock: deps.clock, fix });
  return summarize(newWorld().sources.root, deps.version, checks);
}

function printFinding(deps: CommandDeps, title: string, { severity, what, why, advice, command }: FindingReport): void {
  const { sign, style } = SIGNS[severity];
  const [first = '', ...rest] = what.split('\n');
  printProse(deps, `${title}: ${first}`, `  ${styled(deps, style, `${sign} ${severity}`)}: `);
  for (const line of rest) printProse(deps, line, '      ');
  printProse(deps, why, `      ${styled(deps, 'dim', 'why')}  `);
  printProse(deps, advice, `      ${styled(deps, 'dim', 'do')}   `);
  if (command !== null) deps.print(`           ${styled(deps, 'bold', command)}`);
}

function printCheck(deps: CommandDeps, { title, state, note, findings, fixed }: CheckReport): void {
  for (const what of fixed) printProse(deps, `${title}: ${what}`, `  ${styled(deps, 'green', '✓ mended')}: `);
  if (state === 'ok') printProse(deps, `${title}: ${note}`, `  ${styled(deps, 'green', '✓ fine')}: `);
  if (state === 'skipped') printProse(deps, `${title}: ${note}`, `  ${styled(deps, 'dim', '- not checked')}: `);
  for (const finding of findings) printFinding(deps, title, finding);
}

const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;

function printReport(deps: CommandDeps, report: DoctorReport, fixLine: string): void {
  for (const group of GROUPS) {
    deps.print(styled(deps, 'bold', GROUP_TITLES[group]));
    for (const check of report.checks) if (check.group === group) printCheck(deps, check);
  }
  const { errors, warnings, notes, skipped } = report;
  const counts = [counted(errors, 'error'), counted(warnings, 'warning'), counted(notes, 'note')];
  deps.print('');
  printProse(deps, `${report.root}: ${counts.join(', ')}${skipped === 0 ? '' : `; ${skipped} not checked`}`);
  const fixable = report.checks.flatMap(({ findings }) => findings).filter((one) => one.fixable).length;
  if (fixable > 0) deps.print(`${counted(fixable, 'finding')} can be mended by: ${fixLine}`);
}

export const doctor: CliCommand = {
  name: 'doctor',
  about: 'look for what is wrong on this machine and at the edge, and say what to do',
  options: [
    ...edgeOptions,
    new Option('--fix', 'mend what can be mended safely, such as the rights of files'),
    new Option('--forget-refused', 'first forget the requests of this node that the edge has refused'),
  ],
  examples: ['doctor', 'doctor --fix', 'doctor --json --root ~/other'],
  run: async (args, deps) => {
    if (args.forgetRefused === true) forget(args, deps);
    const report = await examine(args, deps, { fix: args.fix === true });
    const fixLine = printedCommand(deps.env, 'doctor --fix', report.root);
    present(args, deps, report, () => printReport(deps, report, fixLine));
    return report.errors > 0 ? EXIT.failed : EXIT.fine;
  },
};
