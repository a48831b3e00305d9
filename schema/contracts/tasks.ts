/** Tasks and their steps: what a person or a chat asks for, and what the API shows of it. Runs of steps: runs.ts. */
import { z } from 'zod';
import { TASK } from '../defaults.ts';
import {
  DurationMsSchema,
  HostSchema,
  idSchema,
  MetadataInputSchema,
  MetadataSchema,
  ReasonSchema,
  TimestampSchema,
  UnreadableSchema,
} from './common.ts';
import { PrioritySchema, TermSchema } from './leader.ts';
import { RunSchema, RunUsageSchema } from './runs.ts';
import { checkStepInput, StepKindSchema } from './step-inputs.ts';

export const TaskIdSchema = idSchema('task');
export const StepIdSchema = idSchema('step');

export const TASK_STATUSES = ['queued', 'running', 'done', 'failed', 'canceled', 'blocked'] as const;
export const TaskStatusSchema = z.enum(TASK_STATUSES);
export type TaskStatus = z.infer<typeof TaskStatusSchema>;

export const STEP_STATUSES = ['pending', 'running', 'done', 'failed', 'timeout', 'blocked', 'canceled'] as const;
export const StepStatusSchema = z.enum(STEP_STATUSES);
export type StepStatus = z.infer<typeof StepStatusSchema>;

/** A step that may be claimed: its task begins with it, or has begun. */
export const READINESS = ['begins', 'continues'] as const;
export type Readiness = (typeof READINESS)[number];

/** A name of `[repos]` in the `config.toml` of a host. */
export const RepoNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dot, dash, underscore; at most 64');
/** A branch, tag or commit; git never takes it for an option. */
export const GitRefSchema = z
  .string()
  .max(200)
  .regex(/^(?![/.-])(?!.*(\.\.|\/\/|@\{|\.lock(\/|$)))[A-Za-z0-9._/@+-]+(?<![/.])$/, 'a branch, tag or commit');

/** Branches that the conductor names after a task, and may therefore move. */
export const OWN_BRANCH = /^conductor\//i;
/** The branch of a task; one of the conductor's own would be that of another task. */
export const BranchNameSchema = GitRefSchema.refine((name) => !OWN_BRANCH.test(name), 'not below conductor/');

export const StepDraftSchema = z
  .strictObject({
    kind: StepKindSchema,
    name: z.string().trim().min(1).max(200),
    input: z.record(z.string(), z.unknown()).default({}),
    timeout_ms: DurationMsSchema.min(TASK.step_timeout_min_ms).max(TASK.step_timeout_max_ms).optional(),
    max_attempts: z.number().int().min(1).max(TASK.max_attempts_limit).optional(),
  })
  .superRefine(checkStepInput);
export type StepDraft = z.output<typeof StepDraftSchema>;
const StepDraftsSchema = z.array(StepDraftSchema).min(1).max(TASK.max_steps);

export const TaskConstraintsSchema = z.strictObject({
  target_host: HostSchema.optional().describe(
    'The host, or the id of the node, that runs its steps whether it leads or not.',
  ),
  after: z
    .array(TaskIdSchema)
    .max(TASK.max_after)
    .refine((ids) => new Set(ids).size === ids.length, 'each task once')
    .optional()
    .describe('Tasks that must be done before this one begins.'),
  takeover_after_ms: DurationMsSchema.min(TASK.takeover_min_ms)
    .max(TASK.takeover_max_ms)
    .optional()
    .describe('How long a node that does not report keeps a step before another may take it.'),
});
export type TaskConstraints = z.infer<typeof TaskConstraintsSchema>;

/** `POST /v1/tasks`, and the parameters of `tasks/create`. */
export const TaskCreateBodySchema = z.strictObject({
  repo: RepoNameSchema.optional().describe('Without it each task has a folder of its own.'),
  task_type: z
    .string()
    .regex(/^[a-z][a-z0-9_-]*$/, 'lower-case letters, digits, dash, underscore')
    .max(40)
    .describe('The template of its steps, where none are given.'),
  title: z.string().trim().min(1).max(200),
  goal: z.string().trim().min(1).max(TASK.max_goal_chars),
  priority: PrioritySchema.optional(),
  constraints: TaskConstraintsSchema.optional(),
  notify: z
    .boolean()
    .optional()
    .describe(
      "Whether its end is reported into the chat that created it; a chat's task does unless it says otherwise.",
    ),
  hold_renewal: z.boolean().optional().describe('Whether the renewals of that chat wait for its end.'),
  acceptance: z.array(z.string().trim().min(1).max(2_000)).max(32).optional(),
  base_ref: GitRefSchema.optional(),
  branch_name: BranchNameSchema.optional(),
  metadata: MetadataInputSchema.optional(),
  steps: StepDraftsSchema.optional(),
});
export type TaskCreateBody = z.output<typeof TaskCreateBodySchema>;

export const TaskSchema = z.object({
  task_id: z.string(),
  status: TaskStatusSchema,
  task_type: z.string(),
  repo: z.string().nullable(),
  title: z.string(),
  goal: z.string(),
  acceptance: z.array(z.string()),
  priority: z.number().int(),
  constraints: TaskConstraintsSchema,
  notify: z.boolean(),
  hold_renewal: z.boolean(),
  base_ref: z.string().nullable(),
  base_sha: z
    .string()
    .nullable()
    .describe('The commit that `base_ref` was when the first run began; every host starts from it.'),
  branch_name: z.string().nullable(),
  metadata: MetadataSchema,
  created_by: z.string(),
  is_persons: z.boolean().describe('A person created or approved it: a host runs what its policy would ask about.'),
  local_conversation_id: z
    .string()
    .nullable()
    .describe('The chat and the instruction that created it; null for any other origin.'),
  instruction_id: z.string().nullable(),
  waits_for: z
    .number()
    .int()
    .nonnegative()
    .describe('The number of tasks of `constraints.after` that are not done yet.'),
  current_step_index: z.number().int().nonnegative(),
  assigned_controller_id: z.string().nullable().describe('The node that ran, or runs, its newest run.'),
  result_summary: z.string().nullable(),
  error_code: z.string().nullable(),
  error_text: z.string().nullable(),
  cancel_requested_at: TimestampSchema.nullable(),
  created_at: TimestampSchema,
  started_at: TimestampSchema.nullable(),
  finished_at: TimestampSchema.nullable(),
  updated_at: TimestampSchema,
});
export type Task = z.infer<typeof TaskSchema>;

export const StepSchema = z.object({
  step_id: z.string(),
  task_id: z.string(),
  step_index: z.number().int().nonnegative(),
  kind: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  status: StepStatusSchema,
  attempt: z.number().int().nonnegative().describe('The number of the newest attempt; 0 before the first one.'),
  max_attempts: z.number().int().positive(),
  timeout_ms: DurationMsSchema,
  run_id: z.string().nullable().describe('The run that has it, or had it last.'),
  summary: z.string().nullable(),
  error_code: z.string().nullable(),
  error_text: z.string().nullable(),
  started_at: TimestampSchema.nullable(),
  finished_at: TimestampSchema.nullable(),
});
export type Step = z.infer<typeof StepSchema>;

export const TaskCreatedSchema = z.object({
  task_id: z.string(),
  status: TaskStatusSchema,
  branch_name: z.string().nullable(),
  base_ref: z.string().nullable(),
});
export type TaskCreated = z.infer<typeof TaskCreatedSchema>;

/** One task in a list, without its long texts. */
export const TaskSummarySchema = TaskSchema.omit({ goal: true, acceptance: true, metadata: true }).extend({
  unreadable: UnreadableSchema,
});
export const TaskDetailSchema = TaskSchema.extend({
  steps: z
    .array(StepSchema.extend({ usage: RunUsageSchema.nullable().default(null) }))
    .describe('`usage`: of all its attempts; null when no coding agent reported any.'),
  runs: z.array(RunSchema).describe('Its newest runs, oldest first.'),
  waiting_reason: z
    .string()
    .nullable()
    .describe('Why its next step is not claimed yet, such as `waits_for_tasks`; null when it is, or can be.'),
  unreadable: UnreadableSchema,
});
export type TaskDetail = z.infer<typeof TaskDetailSchema>;

/** `term`: of the leader, when a node plans a task that is not its own. */
export const TaskPlanBodySchema = z.strictObject({ steps: StepDraftsSchema, term: TermSchema.optional() });
export type TaskPlanBody = z.output<typeof TaskPlanBodySchema>;

/** The state of a task after a person acted on it. */
export const TaskStateSchema = z.object({
  task_id: z.string(),
  status: TaskStatusSchema,
  cancel_requested_at: TimestampSchema.nullable().describe(
    'When its cancellation was asked for; its running step ends on its node.',
  ),
});
export type TaskState = z.infer<typeof TaskStateSchema>;
export const TaskReasonBodySchema = z.strictObject({ reason: ReasonSchema.optional() });

export const STEP_RESOLUTIONS = ['done', 'failed'] as const;
export const StepResolveBodySchema = z.strictObject({
  outcome: z.enum(STEP_RESOLUTIONS),
  note: z.string().trim().min(1).max(2_000),
});
export const StepResolvedSchema = z.object({
  step_id: z.string(),
  status: StepStatusSchema,
  task_id: z.string(),
  task_status: TaskStatusSchema,
});

/** `POST /v1/tasks/:task_id/hand-over`: the run that its node was asked to give up; null when none was running. */
export const HandOverResponseSchema = z.object({ task_id: z.string(), run_id: z.string().nullable() });
/** `POST /v1/controllers/:controller_id/drain`: `on: false` lets the node claim again. */
export const NodeDrainBodySchema = z.strictObject({ on: z.boolean().default(true), reason: ReasonSchema.optional() });
export const NodeDrainResponseSchema = z.object({
  controller_id: z.string(),
  draining: z.boolean(),
  runs: z.array(z.string()).describe('The runs that the node was asked to give up.'),
});

/** The parameters of `tasks/status` and `tasks/cancel`. */
export const TaskToolParamsSchema = z.strictObject({ task_id: TaskIdSchema });

/** Of the report of a task's end into the chat that created it. `uncertain`: it may have arrived, and is not sent again. */
export const NOTICE_STATUSES = ['pending', 'sending', 'delivered', 'failed', 'uncertain'] as const;
export type NoticeStatus = (typeof NOTICE_STATUSES)[number];
