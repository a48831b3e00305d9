/**
 * Tools that a node judges by its policy, with the names of the table of tools: those of hosts and browsers, and the
 * creation of tasks, about which a host's policy asks. A call becomes a command to the node, which judges it and claims its
 * instruction (claim-call.ts).
 */
import { z } from 'zod';
import type { Platform } from '../../schema/contracts/common.ts';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import type { BrowserTool, HostTool, ToolName } from '../../schema/contracts/tools.ts';
import { mcpName, TOOL_NAMES, TOOLS } from '../../schema/contracts/tools.ts';
import { MCP } from '../../schema/defaults.ts';
import { newId } from '../../schema/ids.ts';
import { parse } from '../http/parse.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { nodeForPlatform } from '../nodes/node-for-platform.ts';
import { sendCommands } from '../nodes/push.ts';
import type { ToolAnswer } from './answer.ts';
import { awaitCall } from './await-call.ts';
import type { Caller } from './caller.ts';
import { newCallId, once } from './calls.ts';
import { pickNode } from './pick-node.ts';
import type { McpTool } from './tool.ts';
import { jsonSchema, mcpTool } from './tool.ts';

/** A tool that a node judges: `target::tool`. */
type JudgedTool = HostTool | BrowserTool | 'conductor::tasks/create';

const READ_ONLY: readonly ToolName[] = [
  'conductor::files/read',
  'conductor::files/list',
  'conductor::files/search',
] satisfies HostTool[];

const NodeSchema = z.string().trim().min(1).max(255).optional();
const NODE_PROPERTY = {
  type: 'string',
  description: 'The id or host name of a node; required when more than one is connected.',
};

/** A tool of the table with one more argument, the node. */
function withNode(name: HostTool | 'conductor::tasks/create', description: string = TOOLS[name].summary): McpTool {
  const { params } = TOOLS[name];
  const anyNode = name === 'conductor::tasks/create';
  const read_only = READ_ONLY.includes(name);
  return {
    description,
    read_only,
    for_readers: false,
    destructive: !read_only && !anyNode,
    inputSchema() {
      const schema = jsonSchema(params);
      const properties = z.record(z.string(), z.unknown()).parse(schema.properties ?? {});
      return { ...schema, properties: { ...properties, node: NODE_PROPERTY } };
    },
    async run(caller, { node, ...args }) {
      const named = parse(z.object({ node: NodeSchema }), { node }, 'arguments').node;
      const given = parse(params, args, 'arguments');
      return runOnNode(caller, { name, params: given, read_only }, () => pickNode(caller, named, anyNode));
    },
  };
}

interface NodeCall {
  name: JudgedTool;
  params: Record<string, unknown>;
  read_only: boolean;
}

async function runOnNode(caller: Caller, call: NodeCall, pick: () => Promise<string>): Promise<ToolAnswer> {
  const { name, params } = call;
  const { stored, repeated } = await once(caller, call.read_only, async () => {
    const { now } = caller;
    const controller_id = await pick();
    const ids = {
      message_id: newCallId(now),
      instruction_id: newId('instruction', now),
      local_conversation_id: newId('conversation', now),
    };
    const command: CommandDraft<'instruction'> = {
      command_id: newId('command', now),
      controller_id,
      kind: 'instruction',
      body: { requested_by: 'mcp', ...ids, name, params },
      expires_at: now + MCP.judged_within_ms,
    };
    return {
      plan: sendCommands(caller, [command]),
      columns: { ...ids, name, params, controller_id, command_id: command.command_id },
      subject_id: ids.instruction_id,
    };
  });
  return awaitCall(caller, stored, repeated);
}

const ON_PLATFORM = { platform: PlatformSchema };
const SEND = TOOLS['browser.chatgpt::send'];
const CURRENT = TOOLS['browser.chatgpt::current'];

/** Runs the tool of that platform on a node whose browser has it. */
function inBrowser(caller: Caller, platform: Platform, call: NodeCall): Promise<ToolAnswer> {
  return runOnNode(caller, call, () => nodeForPlatform(caller, platform));
}

const HOST_TOOLS = TOOL_NAMES.filter((name): name is HostTool => TOOLS[name].where === 'host');

export const NODE_TOOLS: Readonly<Record<string, McpTool>> = {
  ...Object.fromEntries(HOST_TOOLS.map((name) => [mcpName(name), withNode(name)])),
  tasks_create: withNode(
    'conductor::tasks/create',
    'Creates a task: steps that hosts run one after the other. The input of a shell or test step is {argv} or {script}, of an agent step {agent, prompt}, of a git step {action}.',
  ),
  browser_send: mcpTool(
    { description: SEND.summary, params: SEND.params.extend(ON_PLATFORM) },
    (caller, { platform, ...params }) =>
      inBrowser(caller, platform, { name: `browser.${platform}::send`, params, read_only: false }),
  ),
  browser_current: mcpTool(
    { description: CURRENT.summary, params: CURRENT.params.extend(ON_PLATFORM), read_only: true },
    (caller, { platform, ...params }) =>
      inBrowser(caller, platform, { name: `browser.${platform}::current`, params, read_only: true }),
  ),
};
