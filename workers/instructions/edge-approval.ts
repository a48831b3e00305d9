/**
 * The approvals of a message as they are stored. What a person is shown of a tool that does not run on the asking host is
 * written here, from the parameters: the node that asks cannot describe it as something else. For a browser tool it names
 * the conversation that is meant, by the title that its page has. What a node shows of its host's tools is made inert.
 */
import { sql } from 'drizzle-orm';
import type { Approval, InstructionInput, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { ToolName } from '../../schema/contracts/tools.ts';
import { isBrowserTool, platformOf, TOOLS, toolName } from '../../schema/contracts/tools.ts';
import { approvalDisplay, boundText, neutralApproval } from '../../schema/domain/approval.ts';
import { taskText } from '../../schema/domain/task-text.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { Database } from '../db/open.ts';

export interface AskedCall {
  input: Pick<InstructionInput, 'target' | 'tool' | 'params'> & { approval?: Approval | null | undefined };
  /** The verdict by which it asks. */
  policy: PolicyVerdict;
}

/** What is stored as the approval of an instruction that asks; null when its node has shown nothing. */
export async function storedApproval(db: Database, { input, policy }: AskedCall): Promise<Approval | null> {
  const name = toolName(input.target, input.tool);
  if (name === null || TOOLS[name].where === 'host') return input.approval ? neutralApproval(input.approval) : null;
  const { params } = input;
  const file_hashes = {};
  return {
    display: approvalDisplay(await callText(db, name, params), [`It asks because of: ${policy.rule}`]),
    approval_hash: await sha256Hex(boundText({ name, params, cwd: null, file_hashes })),
    cwd: null,
    env_names: [],
    file_hashes,
  };
}

async function callText(db: Database, name: ToolName, params: Readonly<Record<string, unknown>>): Promise<string> {
  const asTask = name === 'conductor::tasks/create' ? taskText(params) : null;
  if (asTask !== null) return `${name}\n${asTask}`;
  if (!isBrowserTool(name)) return `${name} ${JSON.stringify(params, null, 2)}`;
  const platform = platformOf(name);
  const id = typeof params.conversation_id === 'string' ? params.conversation_id : null;
  if (id === null) {
    const where = 'prompt' in params ? 'a new conversation' : 'the conversation in the active tab';
    return callLines(name, `${where} of ${platform}`, params);
  }
  const known = await db
    .select({ title: local_conversations.title })
    .from(local_conversations)
    .where(sql`${local_conversations.platform} = ${platform} AND ${local_conversations.remote_conversation_id} = ${id}`)
    .get();
  const title = known?.title ?? null;
  const about = title === null ? 'a conversation whose title is not known' : JSON.stringify(title);
  return callLines(name, `${about} (${platform}, conversation ${JSON.stringify(id)})`, params);
}

function callLines(name: ToolName, target: string, params: Readonly<Record<string, unknown>>): string {
  const lines = [name, `conversation: ${target}`];
  return [...lines, ...(typeof params.prompt === 'string' ? [`prompt:\n${params.prompt}`] : [])].join('\n');
}
