/** `[agents.<name>]` of `config.toml`: a coding agent as this host has it. */
import { z } from 'zod';
import { AgentNameSchema } from '../../schema/contracts/step-inputs.ts';

export const DIALECTS = ['codex', 'claude', 'gemini', 'plain'] as const;
export type DialectName = (typeof DIALECTS)[number];

const VariableSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable');

/** Where a value is in an event, such as `result.text`. */
const PathSchema = z.string().regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, 'names of fields, joined by dots');
/** What only a command without a dialect of its own needs. */
const PLAIN_KEYS = ['resume_args', 'session_path', 'answer_path'] as const;

const AgentFieldsSchema = z.strictObject({
  /** A program by its name or path. */
  command: z.string().trim().min(1),
  /** Instead of the dialect's own options, such as those that grant more rights. */
  args: z.array(z.string()).optional(),
  env: z.record(VariableSchema, z.string()).default({}),
  /** Variables of the agent's own environment that it gets, such as its key. */
  env_from: z.array(VariableSchema).default([]),
  /** A file with lines of the form NAME=value, readable by its owner only. */
  env_file: z.string().trim().min(1).optional(),
  dialect: z.enum(DIALECTS).default('plain'),
  /** Instead of `args`, for an attempt that resumes the session that took the place of `{session}`. */
  resume_args: z.array(z.string()).optional(),
  /** Where an event names the session; where one has the answer, of which the last counts. */
  session_path: PathSchema.optional(),
  answer_path: PathSchema.optional(),
});
export const AgentSettingsSchema = AgentFieldsSchema.superRefine((settings, ctx) => {
  const foreign = settings.dialect === 'plain' ? [] : PLAIN_KEYS.filter((key) => settings[key] !== undefined);
  for (const key of foreign) ctx.addIssue({ code: 'custom', path: [key], message: 'only with the dialect plain' });
});
export type AgentSettings = z.output<typeof AgentSettingsSchema>;
export const AgentsSchema = z.record(AgentNameSchema, AgentSettingsSchema);
