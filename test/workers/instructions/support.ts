/** Browsers, commands and people around a small conductor. */
import type { Command, CommandKind } from '../../../schema/contracts/commands.ts';
import type { Approval, IngestResponse, InstructionInput } from '../../../schema/contracts/instructions.ts';
import type { Conductor } from '../support/conductor.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { ENTRIES, NODE, rowsOf } from '../support/edge.ts';

export const HASH = 'a'.repeat(64);
export const APPROVAL: Approval = {
  display: 'argv: ["true"]',
  approval_hash: HASH,
  cwd: null,
  env_names: [],
  file_hashes: {},
};
/** An exec that waits for approval. */
export const ASKED = { ...EXEC, policy: { decision: 'ask', rule: 'exec.default' } as const, approval: APPROVAL };

let conversations = 0;

/** A message of a new conversation, unless one is named. */
export async function bringTo(
  conductor: Conductor,
  asked: Parameters<typeof instructionsOf>,
  remote = nextConversation(),
): Promise<IngestResponse & { ids: string[]; remote: string; controller_id: string }> {
  const instructions: InstructionInput[] = instructionsOf(...asked);
  const response = await conductor.bring(conductor.message({ remote_conversation_id: remote, instructions }));
  const ids = response.instructions.map((one) => one.instruction_id);
  return { ...response, ids, remote, controller_id: NODE };
}

export function nextConversation(): string {
  conversations += 1;
  return `conversation-${conversations}`;
}

export async function statusesOf(messageId: string): Promise<string[]> {
  const rows = await rowsOf<{ status: string }>(
    'SELECT status FROM instructions WHERE message_id = ? ORDER BY "index"',
    messageId,
  );
  return rows.map((row) => row.status);
}

export async function messageStatus(messageId: string): Promise<string | undefined> {
  const [row] = await rowsOf<{ ingest_status: string }>(
    'SELECT ingest_status FROM messages WHERE message_id = ?',
    messageId,
  );
  return row?.ingest_status;
}

/** Pending commands of that kind for the node, oldest first. */
export async function commandsFor<K extends CommandKind>(
  conductor: Conductor,
  kind: K,
  nodeId: string = NODE,
): Promise<Extract<Command, { kind: K }>[]> {
  const { items } = await conductor.edge.data<{ items: Command[] }>(
    'GET',
    `/v1/controllers/${nodeId}/commands?limit=200`,
    { token: await conductor.token(nodeId) },
  );
  return items.filter((command): command is Extract<Command, { kind: K }> => command.kind === kind);
}

/** The node reports the result of a command. */
export async function reportCommandResult(
  conductor: Conductor,
  commandId: string,
  result: Record<string, unknown>,
  nodeId: string = NODE,
): Promise<void> {
  await conductor.act(`/v1/commands/${commandId}/result`, { result }, nodeId);
}

/** A browser of the node, signed in to ChatGPT unless `more` says otherwise. */
export async function browserOf(
  conductor: Conductor,
  nodeId: string,
  clientId: string,
  more: { connected?: boolean; login?: 'fresh' | 'stale' | 'lost'; slots?: Record<string, unknown> } = {},
): Promise<void> {
  const { connected = true, login = 'fresh', slots } = more;
  const state = { platform: 'chatgpt', login, fingerprint: null, hooks: [], stopped_reason: null };
  await conductor.edge.data('PUT', `/v1/controllers/${nodeId}/clients/${clientId}`, {
    token: await conductor.token(nodeId),
    body: { connected, platforms: [slots === undefined ? state : { ...state, slots }], tabs: [] },
  });
}

/** The node has registered. */
export async function registered(conductor: Conductor, nodeId: string): Promise<void> {
  const state = { host: 'a-host', role: 'standby', priority: 50, status: 'standby' };
  await conductor.act('/v1/controllers/heartbeat', state, nodeId);
}

/** An operator moves a browser to that node. */
export async function moveBrowser(conductor: Conductor, clientId: string, controller_id: string): Promise<void> {
  await registered(conductor, controller_id);
  await conductor.edge.data('POST', `/v1/browser/clients/${clientId}/move`, { body: { controller_id } });
}

/** The kinds of the journal entries of an instruction, in order. */
export async function storyOf(instructionId: string | undefined): Promise<string[]> {
  const rows = await rowsOf<{ kind: string }>(
    `SELECT kind FROM ${ENTRIES} WHERE instruction_id = ? ORDER BY at, seq, place`,
    instructionId,
  );
  return rows.map((row) => row.kind);
}

/** Ticks until nothing open is past its deadline, because one tick ends a bounded number. */
export async function sweep(conductor: Conductor): Promise<void> {
  const late = () =>
    rowsOf('SELECT 1 FROM instructions WHERE coalesce(claim_expires_at, approval_expires_at) <= ?', conductor.edge.now);
  do await conductor.tick();
  while ((await late()).length > 0);
}
