/**
 * The parameters of `tasks/create` as a person reads them before an approval: each step that would run, also those of a
 * template, with its script or prompt line by line. What is not known here is shown as JSON, so that nothing is left out.
 */
import { TaskCreateBodySchema } from '../contracts/tasks.ts';
import type { PlannedStep } from './task-plan.ts';
import { planSteps } from './task-plan.ts';

const MINUTE_MS = 60_000;
const PLAIN_WORD = /^[\w@%+=:,./~-]+$/;
/** Texts that have their lines; all other fields are JSON in one line. */
const TEXTS = ['script', 'prompt', 'message', 'question'];
const FROM_GOAL = 'made of the goal, the constraints, what it is accepted by, and what the steps before it left';
const OWN_TESTS = "the repository's own test command";

/** Each line is marked, so that none passes for a field or a step. Blank lines are left to be counted where there are many. */
function block(name: string, text: string): string[] {
  return [`${name}:`, ...text.split('\n').map((line) => (line.trim() === '' ? line : `  | ${line}`))];
}

function wordText(word: unknown): string {
  return PLAIN_WORD.test(String(word)) ? String(word) : JSON.stringify(word);
}

function fieldLines(name: string, value: unknown): string[] {
  if (typeof value === 'string' && TEXTS.includes(name)) return block(name, value);
  if (name === 'argv' && Array.isArray(value)) return [`argv: ${value.map(wordText).join(' ')}`];
  return [`${wordText(name)}: ${JSON.stringify(value)}`];
}

/** What runs where a step names nothing itself. */
function defaultLines({ kind, input }: PlannedStep): string[] {
  if (kind === 'agent' && input.prompt === undefined) return [`prompt: ${FROM_GOAL}`];
  if (kind === 'test' && input.argv === undefined && input.script === undefined) return [`runs: ${OWN_TESTS}`];
  return [];
}

function stepLines(step: PlannedStep, count: number): string[] {
  const { step_index, kind, name, input, timeout_ms, max_attempts } = step;
  const limits = `at most ${timeout_ms / MINUTE_MS} min, ${max_attempts} ${max_attempts === 1 ? 'attempt' : 'attempts'}`;
  const fields = Object.entries(input).flatMap(([field, value]) => fieldLines(field, value));
  return [
    '',
    `step ${step_index + 1} of ${count}: ${kind} ${JSON.stringify(name)}, ${limits}`,
    ...defaultLines(step),
    ...fields,
  ];
}

/** Null for parameters that make no task. */
export function taskText(params: Readonly<Record<string, unknown>>): string | null {
  const body = TaskCreateBodySchema.safeParse(params);
  const steps = body.success ? planSteps(body.data) : null;
  if (!body.success || steps === null) return null;
  const { title, goal, acceptance = [], steps: _given, ...others } = body.data;
  return [
    `title: ${JSON.stringify(title)}`,
    ...Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : fieldLines(name, value))),
    ...block('goal', goal),
    ...acceptance.flatMap((one) => block('accepted when', one)),
    ...steps.flatMap((step) => stepLines(step, steps.length)),
  ].join('\n');
}
