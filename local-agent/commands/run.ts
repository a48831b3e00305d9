/**
 * `run`: one instruction without a chat. It is a call through MCP: the policy of its node judges it, a person approves it
 * where the policy asks, it is claimed and it is in the journal, like one of a chat.
 */
import { randomUUID } from 'node:crypto';
import { Argument } from 'commander';
import { InstructionStateSchema } from '../../schema/contracts/instructions.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { connectionOptions, valueOption } from '../config/flags.ts';
import { pause } from '../lib/clock.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { ToolAnswer } from './call-tool.ts';
import { callTool } from './call-tool.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { BrokenOffError, EXIT, UsageError } from './exit-codes.ts';
import { present } from './output.ts';
import type { Operation } from './repeatable.ts';
import { callOnce, operationOf, operationOption, patientLook } from './repeatable.ts';
import { readCall, toolOf } from './written-call.ts';

const SECOND_MS = 1_000;
const DEFAULT_WAIT_S = 60;
const MAX_WAIT_S = 86_400;
const LOOK_MS = 1_000;
/** Reads of a long output: far more than any output needs. */
const MAX_PARTS = 1_000;
/** How the edge reports an instruction that is under way. */
const PROGRESS = /^(ins_\w+) is (\w+)$/;

/** The time for which the person waits. It ends early when the program is asked to stop. */
interface Wait {
  isOver: () => boolean;
  over: Promise<void>;
  /** A timer would keep the process. */
  cancel: () => void;
}

function waitFor({ clock, stopSignal }: CommandDeps, ms: number): Wait {
  let isOver = false;
  let cancel = () => {};
  const time = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  const over = Promise.race([time, stopSignal()]).then(() => {
    isOver = true;
  });
  return { isOver: () => isOver, over, cancel };
}

interface Run {
  edge: { url: string; token: string };
  args: Args;
  deps: CommandDeps;
  operation: Operation;
  wait: Wait;
  announce: (id: string, status: string) => void;
}

interface Outcome {
  answer: ToolAnswer;
  failed: boolean;
}

function isOpen(status: string | undefined): boolean {
  const known = InstructionStateSchema.safeParse(status);
  return known.success && isOpenStatus(known.data);
}

function waitMsOf(args: Args): number {
  const text = optionalText(args, 'wait') ?? String(DEFAULT_WAIT_S);
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= 0 && seconds <= MAX_WAIT_S) return seconds * SECOND_MS;
  throw new UsageError(`--wait: seconds from 0 to ${MAX_WAIT_S}, got ${JSON.stringify(text)}`);
}

/** Says once that the instruction waits for a person, and how that person decides. */
function announcer(args: Args, deps: CommandDeps): Run['announce'] {
  let isSaid = false;
  return (id, status) => {
    if (status !== 'awaiting_approval' || isSaid) return;
    isSaid = true;
    const approve = printedCommand(deps.env, `instructions approve ${id}`, optionalText(args, 'root'));
    deps.warn(`${id} waits until a person approves it. To look and decide: ${approve}`);
  };
}

/** The call. Null: its wait was over, or its connection was lost, before it was answered; `known` is what was said before. */
async function answerTo(run: Run, tool: string, args: Record<string, unknown>): Promise<Outcome | null> {
  const state: { known: Outcome | null } = { known: null };
  const onProgress = (text: string) => {
    const [, id = '', status = ''] = PROGRESS.exec(text) ?? [];
    if (id === '') return;
    state.known = { answer: { instruction_id: id, status }, failed: false };
    run.announce(id, status);
  };
  const { edge, deps, operation } = run;
  const call = callOnce(deps, operation, () => callTool({ edge, tool, args, operationId: operation.id, onProgress }));
  call.catch(() => undefined);
  try {
    return (await Promise.race([call, run.wait.over.then(() => null)])) ?? state.known;
  } catch (error) {
    // What is known of the instruction is enough to look at it until it has ended.
    if (!(error instanceof BrokenOffError) || state.known === null) throw error;
    deps.warn(`${error.message}; looking at ${state.known.answer.instruction_id} instead`);
    return state.known;
  }
}

/** The call, followed until it has ended or the wait is over. Null: over before the edge answered at all. */
async function follow(run: Run, tool: string, args: Record<string, unknown>): Promise<Outcome | null> {
  const { edge, deps, wait } = run;
  const lookNow = patientLook(deps, 'the wait is over, or Ctrl-C');
  let outcome = await answerTo(run, tool, args);
  for (;;) {
    const { instruction_id, status } = outcome?.answer ?? {};
    if (outcome === null || instruction_id === undefined || !isOpen(status)) return outcome;
    run.announce(instruction_id, status ?? '');
    if (wait.isOver()) return outcome;
    await Promise.race([pause(deps.clock, LOOK_MS), wait.over]);
    const look = lookNow(() => callTool({ edge, tool: 'status', args: { instruction_id }, operationId: randomUUID() }));
    look.catch(() => undefined);
    outcome = (await Promise.race([look, wait.over.then(() => null)])) ?? outcome;
  }
}

/** The whole output: an answer has the beginning of a long one. */
async function withWholeOutput({ edge }: Run, answer: ToolAnswer): Promise<ToolAnswer> {
  const { instruction_id, output_chars = 0, next_offset: from, ...rest } = answer;
  if (from === undefined || instruction_id === undefined) return answer;
  let output = answer.output ?? '';
  for (let part = 0; part < MAX_PARTS && output.length < output_chars; part += 1) {
    const args = { instruction_id, offset: output.length };
    const more = await callTool({ edge, tool: 'output_read', args, operationId: randomUUID() });
    const text = more.answer.output ?? '';
    if (more.failed || text === '') break;
    output += text;
  }
  return { ...rest, instruction_id, output, output_chars };
}

function printEnd(deps: CommandDeps, { answer, failed }: Outcome): void {
  const { instruction_id, output, message, error, status, node, exit_code, duration_ms } = answer;
  if (output !== undefined && output !== '') deps.print(output.replace(/\n$/, ''));
  if (instruction_id === undefined && !failed) {
    deps.print(message ?? String(answer.summary ?? JSON.stringify(answer)));
    return;
  }
  const took = duration_ms == null ? '' : ` in ${duration_ms} ms`;
  const code = exit_code == null ? '' : ` with exit code ${exit_code}`;
  const end = `${instruction_id ?? 'the call'} ${status ?? 'failed'}${node === undefined ? '' : ` on ${node}`}${code}${took}`;
  deps.warn(failed ? `${end}: ${error ?? 'failed'}: ${message ?? 'no reason was given'}` : end);
}

async function finish(run: Run, outcome: Outcome | null): Promise<ExitCode> {
  const { args, deps } = run;
  const root = optionalText(args, 'root');
  if (outcome === null) {
    deps.warn(
      `the edge has not answered yet, and the call may still run. To get its result, without running it twice: ${run.operation.line}`,
    );
    return EXIT.failed;
  }
  const { instruction_id: id, status } = outcome.answer;
  if (id !== undefined && (isOpen(status) || status === 'sent')) {
    present(args, deps, outcome.answer, () => undefined);
    const next = printedCommand(deps.env, `instructions show ${id}`, root);
    deps.warn(`${id} has not ended: it is ${status}, and continues without this command. To look again: ${next}`);
    return EXIT.failed;
  }
  const answer = await withWholeOutput(run, outcome.answer);
  present(args, deps, answer, () => printEnd(deps, { ...outcome, answer }));
  return outcome.failed ? EXIT.failed : EXIT.fine;
}

/** This node, when it is known: the configuration or the running system names it. */
function nodeOf(args: Args, deps: CommandDeps): string | undefined {
  const { config, origins } = configOf(args, deps, connectionOptions);
  return optionalText(args, 'on') ?? (origins.nodeId === 'default' ? undefined : config.nodeId);
}

const parameters = {
  argument: new Argument('<instruction>', 'target::tool, and behind another :: its params'),
  options: [
    ...edgeOptions,
    valueOption('--on <node>', 'the node that runs it (default: the node of this root)'),
    valueOption('--wait <seconds>', `how long to wait for its end (default: ${DEFAULT_WAIT_S})`),
    operationOption,
  ],
};

export const run: CliCommand = {
  name: 'run',
  about: 'run one instruction without a chat, under the policy of its node',
  examples: [
    `run 'conductor::files/list::{"pattern": "**/*.md"}'`,
    `run 'conductor::exec::{"argv": ["git", "status"], "cwd": "app"}' --wait 600`,
    "run 'conductor::files/read::notes/today.md' --on mini --json",
  ],
  ...parameters,
  run: async (args, deps) => {
    const waitMs = waitMsOf(args);
    const { tool, args: given } = toolOf(readCall(String(args.instruction)), nodeOf(args, deps));
    const { controlApiBase: url, operatorToken: token } = operatorConfig(args, deps);
    const wait = waitFor(deps, waitMs);
    const operation = operationOf({ path: 'run', ...parameters }, args, deps);
    const running: Run = {
      ...{ edge: { url, token }, args, deps, operation, wait },
      announce: announcer(args, deps),
    };
    try {
      return await finish(running, await follow(running, tool, given));
    } finally {
      wait.cancel();
    }
  },
};
