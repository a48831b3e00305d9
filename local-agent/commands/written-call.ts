/** An instruction as a person writes it on the command line, read by the parser that reads the messages of chats. */
import type { ToolName } from '../../schema/contracts/tools.ts';
import { isBrowserTool, mcpName, platformOf, TOOLS } from '../../schema/contracts/tools.ts';
import { readMessage } from '../instructions/read-message.ts';
import { UsageError } from './exit-codes.ts';

export interface WrittenCall {
  name: ToolName;
  params: Record<string, unknown>;
}

const FORM = "write it as in a chat, such as 'conductor::files/read::notes/today.md'";

/** @throws UsageError that says what is wrong with it */
export function readCall(text: string): WrittenCall {
  const trimmed = text.trim();
  const written = trimmed.startsWith('@') ? trimmed : `@${trimmed}`;
  const longest = Math.max(2, ...Array.from(written.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const { instructions, errors } = readMessage(`${fence}baa\n${written}\n${fence}`);
  const [error] = errors;
  if (error !== undefined) throw new UsageError(`the instruction: ${error.code}: ${error.message}; ${FORM}`);
  const [only, ...others] = instructions;
  if (only === undefined) throw new UsageError(`there is no instruction: ${FORM}`);
  if (others.length > 0) throw new UsageError('one instruction at a time: call this command for each of them');
  return { name: only.name, params: only.params };
}

/** What has a meaning inside a chat only, and the command that does it without one. */
const IN_CHATS_ONLY: Readonly<Partial<Record<ToolName, string>>> = {
  'conductor::describe': 'it lists the tools for an assistant; docs/instructions.md lists them for people',
  'conductor::conversation/mode':
    'it is about the chat that it is written in; use: conversations auto, manual or paused, with the id of the chat',
};

/** The tool of the edge's MCP endpoint, and its arguments. @throws UsageError for a call that needs a chat */
export function toolOf({ name, params }: WrittenCall, node: string | undefined) {
  const why = IN_CHATS_ONLY[name];
  if (why !== undefined) throw new UsageError(`${name} cannot be run here: ${why}`);
  if (isBrowserTool(name)) return { tool: mcpName(name), args: { ...params, platform: platformOf(name) } };
  const isJudged = TOOLS[name].where === 'host' || name === 'conductor::tasks/create';
  return { tool: mcpName(name), args: isJudged && node !== undefined ? { ...params, node } : params };
}
