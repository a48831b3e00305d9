/** The steps of a task: those that were given, or the template of its type. */
import type { StepDraft } from '../contracts/tasks.ts';
import { TASK } from '../defaults.ts';

export interface PlannedStep {
  step_index: number;
  kind: string;
  name: string;
  input: Record<string, unknown>;
  timeout_ms: number;
  max_attempts: number;
}

export interface PlanRequest {
  task_type: string;
  title: string;
  goal: string;
  steps?: readonly StepDraft[] | undefined;
}

type Template = (task: PlanRequest) => StepDraft[];

/** An agent works on the goal, the tests of the repository run, a person looks at the difference. */
export function agentSteps(agent: string): StepDraft[] {
  return [
    { kind: 'agent', name: agent, input: { agent } },
    { kind: 'test', name: 'test', input: {} },
    { kind: 'review', name: 'review', input: {} },
  ];
}

/** By `task_type`. The goal of a `shell` or `git` task is the script that it runs. */
const TEMPLATES: Readonly<Record<string, Template>> = {
  shell: ({ title, goal }) => [{ kind: 'shell', name: title, input: { script: goal } }],
  codex: () => agentSteps('codex'),
  claude: () => agentSteps('claude'),
  git: ({ goal }) => [
    { kind: 'git', name: 'worktree', input: { action: 'worktree' } },
    { kind: 'shell', name: 'change', input: { script: goal } },
    { kind: 'git', name: 'diff', input: { action: 'diff' } },
  ],
};
export const TASK_TEMPLATES = Object.keys(TEMPLATES);

/** The steps in their order; null when none are given and the type has no template. */
export function planSteps(task: PlanRequest): PlannedStep[] | null {
  const template = Object.hasOwn(TEMPLATES, task.task_type) ? TEMPLATES[task.task_type] : undefined;
  const drafts = task.steps ?? template?.(task);
  if (drafts === undefined) return null;
  return drafts.map(({ kind, name, input, timeout_ms, max_attempts }, step_index) => ({
    step_index,
    kind,
    name,
    input,
    timeout_ms: timeout_ms ?? TASK.step_timeout_ms,
    max_attempts: max_attempts ?? TASK.max_attempts,
  }));
}
