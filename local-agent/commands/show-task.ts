/** What `tasks show` prints: the task, its steps and runs, and what it waits for. */
import type { RunUsage } from '../../schema/contracts/runs.ts';
import type { Step, TaskDetail } from '../../schema/contracts/tasks.ts';
import { NODE_RUNS } from '../../schema/defaults.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { printFields, printTable, printText, withMoments } from './output.ts';

const DAY_MS = 86_400_000;

function firstLine(text: string | null): string | null {
  return text?.split('\n', 1)[0] ?? null;
}

/** What a node must have for the step, as its `config.toml` names it. */
function needsOf({ kind, input }: Step, repo: string | null): string {
  const executor = kind === 'agent' && typeof input.agent === 'string' ? `[agents.${input.agent}]` : null;
  const table = repo === null ? null : `${repo} in [repos]`;
  return [table, executor].filter((need) => need !== null).join(' and ');
}

/** In words; what an agent did not report is left out. */
function usageText({ input_tokens, cached_input_tokens, output_tokens, cost_usd }: RunUsage): string {
  const cached = cached_input_tokens === undefined ? '' : ` (${cached_input_tokens} of them cached)`;
  return [
    ...(input_tokens === undefined ? [] : [`${input_tokens} tokens of input${cached}`]),
    ...(output_tokens === undefined ? [] : [`${output_tokens} tokens of output`]),
    ...(cost_usd === undefined ? [] : [`$${cost_usd.toFixed(2)}`]),
  ].join(', ');
}

function printWaiting(deps: CommandDeps, { waiting_reason, repo, constraints, steps }: TaskDetail): void {
  if (waiting_reason !== 'waits_for_a_node') return;
  const step = steps.find(({ status }) => status === 'pending');
  const needs = step === undefined ? '' : needsOf(step, repo);
  const whose = constraints.target_host === undefined ? 'the leader' : `the node of ${constraints.target_host}`;
  deps.print(`it waits until ${whose} asks for work`);
  if (needs !== '') deps.print(`that node must have ${needs} in its config.toml, which an agent reads at its start`);
}

/** Where the work of a task that has ended is, when no step has committed it. */
function printLeft(
  deps: CommandDeps,
  { task_id, status, repo, steps, runs }: TaskDetail,
  root: string | undefined,
): void {
  const last = runs.findLast((run) => run.status === 'succeeded' || run.status === 'blocked') ?? runs.at(-1);
  const isCommitted = steps.some((one) => one.kind === 'git' && one.input.action === 'commit' && one.status === 'done');
  if (!isEndedTask(status) || last === undefined || isCommitted) return;
  const folder = `worktrees/${task_id}, below the root of ${last.controller_id}`;
  const days = NODE_RUNS.keep_ms / DAY_MS;
  const until = `for ${days} days after its last use, unless the disk budget of runs removes it earlier`;
  deps.print('');
  if (repo === null) {
    deps.print(`what it has left: ${folder}, ${until}`);
    return;
  }
  const patch = printedCommand(deps.env, `runs patch ${last.run_id}`, root);
  deps.print('no step has committed its work. Where it has changed something:');
  deps.print(`  take it over, in a clone of ${repo}: ${patch} | git apply --binary`);
  deps.print(`  or look at ${folder}, ${until}`);
}

/** A step that a person decides about, with all that its summary says. */
function printDecision(deps: CommandDeps, { step_id, run_id, summary }: Step, root: string | undefined): void {
  const line = (command: string) => printedCommand(deps.env, command, root);
  deps.print('');
  printText(deps, `${step_id} waits for a person`, summary ?? 'its node left no summary');
  if (run_id !== null) deps.print(`its changes: ${line(`runs patch ${run_id}`)}`);
  const decide = `steps resolve ${step_id} --outcome done --note WHY`;
  deps.print(`to decide, with done or failed: ${line(decide)}`);
}

export function printTask(deps: CommandDeps, task: TaskDetail, args: Args): void {
  const { steps, runs, goal, acceptance, metadata, ...fields } = task;
  printFields(deps, withMoments({ ...fields, acceptance: acceptance.length === 0 ? null : acceptance, metadata }));
  printText(deps, 'goal', goal);
  deps.print('');
  const head = ['STEP', 'KIND', 'NAME', 'STATUS', 'ATTEMPT', 'SUMMARY'];
  const rows = steps.map((one) => [
    one.step_id,
    one.kind,
    one.name,
    one.status,
    `${one.attempt}/${one.max_attempts}`,
    firstLine(one.status === 'blocked' ? one.summary : (one.error_text ?? one.summary)),
  ]);
  printTable(deps, head, rows, 'no step yet');
  for (const { step_id, usage } of steps) if (usage !== null) deps.print(`${step_id} used ${usageText(usage)}`);
  deps.print('');
  const runRows = runs.map((one) => [one.run_id, one.step_id, one.status, one.controller_id, one.exit_code]);
  printTable(deps, ['RUN', 'STEP', 'STATUS', 'NODE', 'EXIT'], runRows, 'no run yet');
  for (const step of steps) if (step.status === 'blocked') printDecision(deps, step, optionalText(args, 'root'));
  printWaiting(deps, task);
  printLeft(deps, task, optionalText(args, 'root'));
}
