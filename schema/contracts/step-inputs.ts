/**
 * The kinds of steps and the input of each. A host has an executor for each kind. A kind that this version does not know
 * is stored, and fails on the host that claims it, so that an older edge does not refuse what a newer host can do.
 */
import { z } from 'zod';
import { checkValue, fieldIssues } from './issues.ts';

const argv = z.array(z.string().max(32_768)).min(1).max(256);
const script = z.string().min(1).max(65_536);
/** A folder of the step's worktree. */
const cwd = z
  .string()
  .min(1)
  .max(1_024)
  .refine((path) => !path.startsWith('/') && !path.split('/').includes('..'), 'a folder inside the worktree');
/** The name of a coding agent in `[agents.<name>]` of a host's `config.toml`. */
export const AgentNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'lower-case letters, digits, dash, underscore; at most 40');
const onlyOne = { path: ['argv'], message: 'exactly one of argv and script' };

export const GIT_ACTIONS = ['worktree', 'commit', 'push', 'merge', 'diff'] as const;

export const STEP_INPUTS = {
  shell: z
    .strictObject({ argv: argv.optional(), script: script.optional(), cwd: cwd.optional() })
    .refine((input) => (input.argv === undefined) !== (input.script === undefined), onlyOne),
  /** Without a prompt it is the task's goal. Constraints, acceptance and the outputs of earlier steps follow in any case. */
  agent: z.strictObject({ agent: AgentNameSchema, prompt: script.optional() }),
  /** Without argv and script the repository's own test command runs. `report`: a JUnit XML file that the tests write. */
  test: z
    .strictObject({ argv: argv.optional(), script: script.optional(), cwd: cwd.optional(), report: cwd.optional() })
    .refine((input) => input.argv === undefined || input.script === undefined, onlyOne),
  /** `into`: the branch that `merge` moves forward. */
  git: z.strictObject({
    action: z.enum(GIT_ACTIONS),
    message: z.string().trim().min(1).max(4_000).optional(),
    into: z.string().min(1).max(200).optional(),
  }),
  /** A person sees the diff and decides. */
  review: z.strictObject({ question: z.string().trim().min(1).max(4_000).optional() }),
} as const satisfies Record<string, z.ZodType>;
export type StepKind = keyof typeof STEP_INPUTS;
export type StepInput<K extends StepKind> = z.output<(typeof STEP_INPUTS)[K]>;
export const STEP_KINDS = Object.keys(STEP_INPUTS) as [StepKind, ...StepKind[]];

export const StepKindSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'lower-case letters, digits, dash, underscore; at most 40');

export function isStepKind(kind: string): kind is StepKind {
  return Object.hasOwn(STEP_INPUTS, kind);
}

/** Names the fields of a step's input that do not fit its kind. */
export function checkStepInput(step: { kind: string; input: Record<string, unknown> }, ctx: z.RefinementCtx): void {
  if (!isStepKind(step.kind)) return;
  const input = checkValue(STEP_INPUTS[step.kind], step.input);
  if (input.success) return;
  for (const { field, expected } of fieldIssues(input.error, '', 5)) {
    ctx.addIssue({ code: 'custom', path: ['input', ...(field === '' ? [] : field.split('.'))], message: expected });
  }
}

/**
 * What a node needs to run a step: `agent:<name>`, the kind, or `*` for a kind that only a newer host may know. A node
 * names in each claim what it has.
 */
export const ANY_EXECUTOR = '*';
export const ExecutorNameSchema = z
  .string()
  .max(64)
  .regex(/^([a-z][a-z0-9_-]*)(:[a-z][a-z0-9_-]*)?$/, 'a kind of step, or agent:<name>');
export function executorOf(step: { kind: string; input: Record<string, unknown> }): string {
  if (!isStepKind(step.kind)) return ANY_EXECUTOR;
  return step.kind === 'agent' ? `agent:${String(step.input.agent)}` : step.kind;
}
