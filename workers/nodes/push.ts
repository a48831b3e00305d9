/** What a node is told over its channel once the change is durable. Nothing that a reconnect would not find. */
import { nodeHub } from '../../durable-objects/stubs.ts';
import type { CHANGED_TOPICS } from '../../schema/contracts/channel-frames.ts';
import type { CommandDraft } from './commands.ts';
import { toCommand } from './commands.ts';

/** Ids that one frame carries. */
const MAX_IDS = 200;

/** Tells that node to read these again. */
export async function pushChanged(
  env: Env,
  nodeId: string,
  topic: (typeof CHANGED_TOPICS)[number],
  ids: readonly string[],
): Promise<void> {
  await nodeHub(env, nodeId).push(nodeId, { type: 'changed', topic, ids: ids.slice(0, MAX_IDS) });
}

/** Sends stored commands to their nodes; those without a socket find them when they come back. */
export async function pushCommands(env: Env, drafts: readonly CommandDraft[], now: number): Promise<void> {
  await Promise.all(
    drafts.map((draft) =>
      nodeHub(env, draft.controller_id).push(draft.controller_id, { type: 'command', command: toCommand(draft, now) }),
    ),
  );
}
