/**
 * `instructions resolve`: a person says what became of an interrupted instruction. `--check` looks at this host first: it
 * prints what it finds, changes nothing, and the person decides.
 */
import { Option } from 'commander';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import {
  InstructionDetailSchema,
  InstructionResolveBodySchema,
  InstructionSchema,
} from '../../schema/contracts/instructions.ts';
import { firstIssueText } from '../../schema/contracts/issues.ts';
import { callName } from '../../schema/contracts/tools.ts';
import { valueOption } from '../config/flags.ts';
import type { Config } from '../config/settings.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { EffectEvidence } from '../effect-evidence.ts';
import { findEvidence } from '../effect-evidence.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, RefusedError, UsageError } from './exit-codes.ts';
import { moment, present, printFields } from './output.ts';
import { hostRoots } from './undo.ts';

/** What `--check --json` prints. */
interface Checked extends EffectEvidence {
  instruction_id: string;
  status: Instruction['status'];
}

const FLAGS = { done: '--done', not_done: '--not-done' } as const;

async function check(args: Args, deps: CommandDeps, edge: EdgeClient, config: Config): Promise<ExitCode> {
  const id = String(args.instruction);
  const path = `/v1/instructions/${encodeURIComponent(id)}`;
  const found = await edge.call({ method: 'GET', path, schema: InstructionDetailSchema });
  if (found.controller_id !== config.nodeId) {
    throw new RefusedError(
      `--check: ${id} ran on the node ${found.controller_id}, and this is ${config.nodeId}: run the check there`,
    );
  }
  const host = { roots: hostRoots(config), env: deps.env, now: deps.clock.now() };
  const evidence = await findEvidence(found, host);
  const checked: Checked = { instruction_id: id, status: found.status, ...evidence };
  present(args, deps, checked, () => {
    printFields(deps, {
      instruction: callName(found.target, found.tool),
      status: found.status,
      started: moment(found.started_at),
      looks: evidence.verdict === 'unknown' ? 'not decided by what is here' : evidence.verdict.replace('_', ' '),
    });
    for (const line of evidence.found) deps.print(line);
  });
  const flag = evidence.verdict === 'unknown' ? '--done|--not-done' : FLAGS[evidence.verdict];
  const command = `instructions resolve ${id} ${flag} --note "…"`;
  if (found.status === 'interrupted') {
    deps.warn(`nothing was changed. To say it: ${printedCommand(deps.env, command, optionalText(args, 'root'))}`);
  } else deps.warn(`nothing was changed, and ${id} is ${found.status}: only an interrupted instruction is resolved`);
  return EXIT.fine;
}

async function resolve(args: Args, deps: CommandDeps, edge: EdgeClient): Promise<ExitCode> {
  if ((args.done === true) === (args.notDone === true)) {
    throw new UsageError('say what became of it with --done or --not-done, or look at this host with --check');
  }
  const outcome = args.done === true ? 'done' : 'not_done';
  const body = InstructionResolveBodySchema.safeParse({ outcome, note: optionalText(args, 'note') ?? '' });
  if (!body.success)
    throw new UsageError(
      `--note: say how you know, such as "the file is there" (${firstIssueText(body.error, 'note')})`,
    );
  const path = `/v1/instructions/${encodeURIComponent(String(args.instruction))}/resolve`;
  const item = await edge.call({ method: 'POST', path, body: body.data, schema: InstructionSchema });
  present(args, deps, item, () => deps.print(`${item.instruction_id} is ${item.status}`));
  return EXIT.fine;
}

export const resolveInstruction: CliCommand = {
  name: 'resolve',
  about: 'say whether an interrupted instruction took effect; --check shows what this host has of it',
  examples: [
    'instructions resolve INSTRUCTION_ID --check',
    "instructions resolve INSTRUCTION_ID --done --note 'the commit is there'",
  ],
  argument: idArgument('instruction', 'ins_…'),
  options: [
    ...edgeOptions,
    new Option('--check', 'look at this host, and change nothing').conflicts(['done', 'notDone', 'note']),
    new Option('--done', 'it took effect'),
    new Option('--not-done', 'it did not take effect').conflicts('done'),
    valueOption('--note <text>', 'how you know; journal and status page show it'),
  ],
  run: async (args, deps) => {
    const config = operatorConfig(args, deps);
    const edge = deps.connect(config.controlApiBase, config.operatorToken);
    try {
      return args.check === true ? await check(args, deps, edge, config) : await resolve(args, deps, edge);
    } finally {
      await edge.close();
    }
  },
};
