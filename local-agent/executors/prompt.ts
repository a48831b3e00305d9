/** The prompt of a coding agent: the step's own, or the goal of the task; behind it what the step is to know of the task. */
import type { StepView } from './executor.ts';

const CONTINUES =
  'An earlier attempt was interrupted. The folder has what it left; look at it (git status, git diff), and continue from there.';
const RULES = ['Work in the current folder only.', 'Leave the commit to the conductor, unless the task asks for one.'];
/** Gemini takes its prompt as an argument, which Linux bounds at 128 KiB. */
const MAX_EARLIER_STEPS = 20;
const MAX_OUTPUT_CHARS = 1_000;
const MINUTE_MS = 60_000;

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [title, ...items.map((item) => `- ${item}`), ''];
}

function cut(text: string): string {
  return text.length <= MAX_OUTPUT_CHARS ? text : `${text.slice(0, MAX_OUTPUT_CHARS).toWellFormed()}…`;
}

function constraintsOf({ claim }: StepView): string[] {
  const { target_host, after = [] } = claim.task.constraints;
  return [
    `This step may take at most ${claim.timeout_ms / MINUTE_MS} min.`,
    ...(target_host === undefined ? [] : [`The task runs on the host ${target_host}.`]),
    ...(after.length === 0 ? [] : [`The task comes after ${after.join(', ')}, which are done.`]),
  ];
}

/** The newest ones: what they said, which of a review is the note of the person, and where their files are. */
function earlierSteps({ earlier }: StepView): string[] {
  return earlier.slice(-MAX_EARLIER_STEPS).flatMap(({ name, summary, artifacts }) => {
    const files = artifacts === null ? '' : ` (its files: ${artifacts})`;
    if (summary === null && artifacts === null) return [];
    return [`${name}${files}: ${cut(summary ?? '')}`];
  });
}

export function promptOf(prompt: string | undefined, step: StepView): string {
  const { title, goal, acceptance } = step.claim.task;
  return [
    ...(prompt === undefined ? [`Task: ${title}`, '', goal, ''] : [prompt, '']),
    ...list('The task is done when:', acceptance),
    ...list('Constraints:', constraintsOf(step)),
    ...list('Steps before this one:', earlierSteps(step)),
    ...(prompt === undefined ? list('Rules:', RULES) : []),
    ...(step.continuesWork ? [CONTINUES, ''] : []),
    ...(step.startsOver === null
      ? []
      : [`Earlier runs of this task have begun the work, and this one ${step.startsOver}.`, '']),
  ]
    .join('\n')
    .trimEnd();
}
