/**
 * The tools that an assistant may call, declared once. Parser, policy, executor, `describe`, the OpenAPI document and the
 * docs derive from this table; a row without a handler does not compile.
 */
import { z } from 'zod';
import { DELIVERY, INSTRUCTION } from '../defaults.ts';
import type { Platform } from './common.ts';
import { PLATFORM_IDS, ReasonSchema } from './common.ts';
import { AutomationStatusSchema, RemoteConversationIdSchema } from './conversations.ts';
import { TaskCreateBodySchema, TaskToolParamsSchema } from './tasks.ts';

/** Where a tool runs. `browser`: on a node whose browser has the platform, not always the one that has the instruction. */
export const TOOL_PLACES = ['edge', 'host', 'browser'] as const;
export type ToolPlace = (typeof TOOL_PLACES)[number];

const path = z.string().min(1).max(4_096);
const encoding = z.enum(['utf8', 'base64']);
const none = z.strictObject({});
const reason = z.strictObject({ reason: ReasonSchema.optional() });
const prompt = z.strictObject({
  prompt: z.string().max(262_144).regex(/\S/, 'not blank'),
  /** Without it the prompt starts a new conversation. */
  conversation_id: RemoteConversationIdSchema.optional(),
});
const current = z.strictObject({ conversation_id: RemoteConversationIdSchema.optional() });

interface ToolDeclaration {
  summary: string;
  where: ToolPlace;
  /** Passes in every system mode and conversation status. */
  control: boolean;
  /** The parameter that a plain string becomes; null when params must be an object. */
  text_param: string | null;
  timeout_ms: number;
  params: z.ZodType;
}

const SEND = {
  summary: 'Sends a prompt into a chat of that platform; without conversation_id into a new one.',
  where: 'browser',
  control: false,
  text_param: 'prompt',
  timeout_ms: INSTRUCTION.timeout_ms,
  params: prompt,
} as const;
const CURRENT = {
  summary: 'Reads the conversation that a tab of that platform shows.',
  where: 'browser',
  control: false,
  text_param: null,
  timeout_ms: INSTRUCTION.timeout_ms,
  params: current,
} as const;

type BrowserTools = { [P in Platform as `browser.${P}::send`]: typeof SEND & { platform: P } } & {
  [P in Platform as `browser.${P}::current`]: typeof CURRENT & { platform: P };
};
/** Two tools for each platform; `platform` is the one whose tab the tool uses. */
function browserTools(): BrowserTools {
  const rows = PLATFORM_IDS.flatMap((platform) => [
    [`browser.${platform}::send`, { ...SEND, platform }] as const,
    [`browser.${platform}::current`, { ...CURRENT, platform }] as const,
  ]);
  return Object.fromEntries<(typeof rows)[number][1]>(rows) as BrowserTools;
}

export const TOOLS = {
  'conductor::describe': {
    summary: 'Lists the tools with their parameters.',
    where: 'edge',
    control: false,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: none,
  },
  'conductor::status': {
    summary: 'The state of the system: mode, leader, nodes, queues.',
    where: 'edge',
    control: false,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: none,
  },
  'conductor::exec': {
    summary: 'Runs a program by argv, or a script by /bin/sh (a right of its own). What it leaves running is ended.',
    where: 'host',
    control: false,
    text_param: 'command',
    timeout_ms: INSTRUCTION.exec_timeout_ms,
    params: z
      .strictObject({
        argv: z.array(z.string().max(32_768)).min(1).max(256).optional(),
        command: z.string().min(1).max(32_768).optional(),
        cwd: path.optional(),
        env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(32_768)).optional(),
        timeout_ms: z.number().int().min(1).max(INSTRUCTION.exec_timeout_ms).optional(),
        stdin: z.string().max(65_536).optional(),
      })
      .refine((p) => (p.argv === undefined) !== (p.command === undefined), {
        path: ['argv'],
        message: 'exactly one of argv and command',
      }),
  },
  'conductor::files/read': {
    summary: 'Reads a file inside the configured roots.',
    where: 'host',
    control: false,
    text_param: 'path',
    timeout_ms: INSTRUCTION.timeout_ms,
    params: z.strictObject({
      path,
      cwd: path.optional(),
      encoding: encoding.optional(),
      offset: z.number().int().nonnegative().optional(),
      length: z.number().int().positive().optional(),
    }),
  },
  'conductor::files/write': {
    summary:
      'Writes a file inside the configured roots, atomically, and creates missing folders unless create_parents is false; replaces an existing file when overwrite is true. With append the content comes behind what the file holds.',
    where: 'host',
    control: false,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: z
      .strictObject({
        path,
        cwd: path.optional(),
        content: z.string().max(1_048_576),
        encoding: encoding.optional(),
        overwrite: z.boolean().optional(),
        /** A file larger than a message can carry is written in parts; the first part creates it. */
        append: z.boolean().optional(),
        create_parents: z.boolean().optional(),
      })
      .refine((p) => !(p.overwrite && p.append), { path: ['append'], message: 'only one of overwrite and append' }),
  },
  'conductor::files/list': {
    summary: 'Lists files inside the configured roots by a glob; what ignore files name is left out.',
    where: 'host',
    control: false,
    text_param: 'pattern',
    timeout_ms: INSTRUCTION.timeout_ms,
    params: z.strictObject({
      pattern: z.string().min(1).max(1_024),
      cwd: path.optional(),
      limit: z.number().int().min(1).max(5_000).optional(),
      include_ignored: z.boolean().optional(),
    }),
  },
  'conductor::files/search': {
    summary:
      'Finds lines that match a text, or with regex a regular expression, in files inside the configured roots; what ignore files name is left out.',
    where: 'host',
    control: false,
    text_param: 'text',
    timeout_ms: INSTRUCTION.timeout_ms,
    params: z.strictObject({
      text: z.string().min(1).max(1_024),
      /** A glob over files; all of them without it. */
      pattern: z.string().min(1).max(1_024).optional(),
      cwd: path.optional(),
      /** The text is a JavaScript regular expression, in which `^` and `$` match at line breaks. */
      regex: z.boolean().optional(),
      ignore_case: z.boolean().optional(),
      limit: z.number().int().min(1).max(2_000).optional(),
      include_ignored: z.boolean().optional(),
    }),
  },
  'conductor::files/patch': {
    summary:
      'Applies a unified diff to files inside the configured roots: all of it, or nothing when a context differs.',
    where: 'host',
    control: false,
    text_param: 'patch',
    timeout_ms: INSTRUCTION.timeout_ms,
    params: z.strictObject({ patch: z.string().min(1).max(1_048_576), cwd: path.optional() }),
  },
  'conductor::output/read': {
    summary: 'Reads a part of the stored output of an instruction of this conversation and node, in characters.',
    where: 'edge',
    control: false,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: z.strictObject({
      instruction_id: z.string().min(1).max(64),
      offset: z.number().int().nonnegative(),
      length: z.number().int().min(1).max(DELIVERY.output_read_chars).optional(),
    }),
  },
  'conductor::system/pause': {
    summary: 'Pauses the system: nothing ordinary is claimed any more.',
    where: 'edge',
    control: true,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: reason,
  },
  'conductor::system/resume': {
    summary: 'Resumes the system.',
    where: 'edge',
    control: true,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: reason,
  },
  'conductor::system/drain': {
    summary: 'Drains the system: what has begun is finished, nothing new begins.',
    where: 'edge',
    control: true,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: reason,
  },
  'conductor::conversation/mode': {
    summary: 'Sets the automation of this conversation.',
    where: 'edge',
    control: true,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: z.strictObject({ scope: z.literal('current'), mode: AutomationStatusSchema }),
  },
  'conductor::tasks/create': {
    summary:
      'Creates a task: steps that hosts run one after the other. The input of a shell or test step is {argv} or {script}, of an agent step {agent, prompt}, of a git step {action}. The end is reported into this chat, unless notify is false.',
    where: 'edge',
    control: false,
    text_param: null,
    timeout_ms: INSTRUCTION.timeout_ms,
    params: TaskCreateBodySchema,
  },
  'conductor::tasks/status': {
    summary: 'The state of a task of this chat, and of its steps.',
    where: 'edge',
    control: false,
    text_param: 'task_id',
    timeout_ms: INSTRUCTION.timeout_ms,
    params: TaskToolParamsSchema,
  },
  'conductor::tasks/cancel': {
    summary: 'Cancels a task of this chat; a running step ends on its host.',
    where: 'edge',
    control: false,
    text_param: 'task_id',
    timeout_ms: INSTRUCTION.timeout_ms,
    params: TaskToolParamsSchema,
  },
  ...browserTools(),
} as const satisfies Record<string, ToolDeclaration>;

export type ToolName = keyof typeof TOOLS;
export type ToolsAt<P extends ToolPlace> = {
  [N in ToolName]: (typeof TOOLS)[N]['where'] extends P ? N : never;
}[ToolName];
export type HostTool = ToolsAt<'host'>;
export type EdgeTool = ToolsAt<'edge'>;
export type BrowserTool = ToolsAt<'browser'>;
export type ToolParams<N extends ToolName> = z.infer<(typeof TOOLS)[N]['params']>;

export const TOOL_NAMES = Object.keys(TOOLS) as ToolName[];

/** How a call is written: `target::tool`. */
export function callName(target: string, tool: string): string {
  return `${target}::${tool}`;
}

/** The two parts of a `target::tool`. */
export function splitCallName(name: string): { target: string; tool: string } {
  const [target = '', tool = ''] = name.split('::');
  return { target, tool };
}

/** A written or stored `target::tool` as a name in the table; null when this version has no such tool. */
export function findTool(name: string): ToolName | null {
  return Object.hasOwn(TOOLS, name) ? (name as ToolName) : null;
}

export function toolName(target: string, tool: string): ToolName | null {
  return findTool(callName(target, tool));
}

/** The tool's name in MCP: that of the conductor's own tools, with `/` as `_`. Each of `browser` is one for all platforms. */
export function mcpName(name: ToolName): string {
  const { target, tool } = splitCallName(name);
  return `${isBrowserTool(name) ? `${target.split('.')[0]}_` : ''}${tool.replaceAll('/', '_')}`;
}

export function isControl(name: ToolName): boolean {
  return TOOLS[name].control;
}

export function isBrowserTool(name: ToolName): name is BrowserTool {
  return TOOLS[name].where === 'browser';
}

/** The platform whose browser tab the tool uses. */
export function platformOf(name: BrowserTool): Platform {
  return TOOLS[name].platform;
}
