/** `tasks create`: from options for a single command, or from a JSON file with the whole body. */
import { Argument } from 'commander';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { StepDraft, TaskCreateBody } from '../../schema/contracts/tasks.ts';
import { TaskCreateBodySchema, TaskCreatedSchema } from '../../schema/contracts/tasks.ts';
import { agentSteps, planSteps, TASK_TEMPLATES } from '../../schema/domain/task-plan.ts';
import { connectionOptions, valueOption } from '../config/flags.ts';
import type { HostTables } from '../config/host-tables.ts';
import { readHostTables } from '../config/resolve.ts';
import { configPathOf } from '../config/root-files.ts';
import type { Args, CliCommand } from './command.ts';
import { configOf, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { present } from './output.ts';
import { callOnce, operationOf, operationOption } from './repeatable.ts';

const argument = new Argument('[goal]', 'what is to be done; for the type shell, the script that is run');
const options = [
  ...edgeOptions,
  valueOption('--file <path>', 'a JSON file with the body of POST /v1/tasks; other options replace its fields'),
  valueOption(
    '--type <type>',
    'the template of its steps: shell, codex, claude or git, or a name of [agents] in config.toml (default shell)',
  ),
  valueOption('--title <title>', 'its title (default: the beginning of the goal)'),
  valueOption('--repo <name>', 'a repository of [repos] in config.toml (default: a folder of its own)'),
  valueOption('--base-ref <ref>', 'the branch, tag or commit from which it starts'),
  valueOption('--host <host>', 'the host that runs its steps, whether it leads or not'),
  valueOption('--after <task>', 'a task that must be done before'),
  valueOption('--priority <number>', 'higher ones run first (default 50)'),
  operationOption,
];

const TITLE_CHARS = 80;

function readBody(args: Args, deps: CommandDeps): Record<string, unknown> {
  const path = optionalText(args, 'file');
  if (path === undefined) return {};
  const text = deps.readFile(path);
  if (text === null) throw new UsageError(`--file: ${path} does not exist`);
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`--file: ${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function withoutMissing(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The steps of a type that is no template but a coding agent of this host: those that codex and claude have. */
function stepsOfOwnAgent(type: string, args: Args, deps: CommandDeps): { steps?: StepDraft[] } {
  if (TASK_TEMPLATES.includes(type)) return {};
  const { root } = configOf(args, deps, connectionOptions).config;
  return Object.hasOwn(readHostTables(root, deps.readFile).agents, type) ? { steps: agentSteps(type) } : {};
}

/** @throws UsageError that names the field */
function bodyOf(args: Args, deps: CommandDeps): TaskCreateBody {
  const given = readBody(args, deps);
  const goal = optionalText(args, 'goal') ?? given.goal;
  const priority = optionalText(args, 'priority');
  const after = optionalText(args, 'after');
  const constraints = {
    ...(given.constraints as object | undefined),
    ...withoutMissing({ target_host: optionalText(args, 'host'), after: after === undefined ? undefined : [after] }),
  };
  const type = optionalText(args, 'type') ?? given.task_type ?? 'shell';
  const fields = withoutMissing({
    ...stepsOfOwnAgent(String(type), args, deps),
    ...given,
    goal,
    task_type: type,
    title: optionalText(args, 'title') ?? given.title ?? String(goal ?? '').slice(0, TITLE_CHARS),
    repo: optionalText(args, 'repo') ?? given.repo,
    base_ref: optionalText(args, 'baseRef') ?? given.base_ref,
    priority: priority === undefined ? given.priority : Number(priority),
    constraints: Object.keys(constraints).length === 0 ? undefined : constraints,
  });
  const body = checkValue(TaskCreateBodySchema, fields);
  if (body.success) return body.data;
  throw new UsageError(firstIssueText(body.error, 'the task'));
}

/** What the new task needs and the configuration of this host lacks: it may wait for a node that no one has set up. */
function missingHere(body: TaskCreateBody, { repos, agents }: HostTables): string[] {
  const { repo } = body;
  const planned = planSteps(body) ?? [];
  const named = planned.flatMap(({ kind, input }) => (kind === 'agent' ? [String(input.agent)] : []));
  return [
    ...(repo === undefined || repo in repos ? [] : [`${repo} in [repos]`]),
    ...[...new Set(named)].filter((name) => !(name in agents)).map((name) => `[agents.${name}]`),
  ];
}

/** Another host may have it; but a wrong name is seen at once. */
function warnOfMissing(args: Args, deps: CommandDeps, body: TaskCreateBody): void {
  if (body.constraints?.target_host !== undefined) return;
  const { root } = configOf(args, deps, connectionOptions).config;
  const missing = missingHere(body, readHostTables(root, deps.readFile));
  if (missing.length === 0) return;
  const path = configPathOf(root);
  deps.warn(`${path} of this host does not name ${missing.join(' and ')}: the task waits until a node has it`);
}

const OWN_TESTS =
  'its test step runs npm test, cargo test, go test, pytest or make test; where the repository has none, nothing is tested';

/** Whether a step runs the test command of the repository, which the host finds by its build file. */
function hasOwnTests(body: TaskCreateBody): boolean {
  const steps = planSteps(body) ?? [];
  return steps.some(({ kind, input }) => kind === 'test' && input.argv === undefined && input.script === undefined);
}

export const createTask: CliCommand = {
  name: 'create',
  about: 'create a task',
  examples: [
    "tasks create 'make test' --repo app",
    "tasks create 'Fix the failing test' --type codex --repo app",
    'tasks create --file task.json',
  ],
  argument,
  options,
  run: async (args, deps) => {
    const body = bodyOf(args, deps);
    const operation = operationOf({ path: 'tasks create', argument, options }, args, deps);
    const request = { method: 'POST', path: '/v1/tasks', body, idempotencyKey: operation.id } as const;
    const created = await withEdge(args, deps, (edge) =>
      callOnce(deps, operation, () => edge.call({ ...request, schema: TaskCreatedSchema })),
    );
    present(args, deps, created, () => {
      deps.print(`${created.task_id} is ${created.status}`);
      if (hasOwnTests(body)) deps.print(OWN_TESTS);
    });
    warnOfMissing(args, deps, body);
    return EXIT.fine;
  },
};
