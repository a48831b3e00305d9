/** The prompt of a coding agent: the step's own, or one made of the task. */
import type { StepView } from './executor.ts';

const CONTINUES =
  'An earlier attempt was interrupted. The folder has what it left; look at it (git status, git diff), and continue from there.';

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [title, ...items.map((item) => `- ${item}`), ''];
}

function taskText({ claim }: StepView): string[] {
  const { title, goal, acceptance } = claim.task;
  const before = claim.outputs.flatMap(({ name, summary }) => (summary === null ? [] : [`${name}: ${summary}`]));
  return [
    `Task: ${title}`,
    '',
    goal,
    '',
    ...list('It is done when:', acceptance),
    ...list('Steps before this one:', before),
  ];
}

const RULES = ['Work in the current folder only.', 'Leave the commit to the conductor, unless the task asks for one.'];

export function promptOf(prompt: string | undefined, step: StepView): string {
  const work = prompt === undefined ? [...taskText(step), ...list('Rules:', RULES)] : [prompt, ''];
  return [...work, ...(step.continuesWork ? [CONTINUES, ''] : [])].join('\n').trimEnd();
}
