/**
 * The only file that reaches the NodeHub object of a node: frames to nodes, notices to all of them, and the opening and
 * closing of channels. A frame saves time and is never the record: it is sent once the change is stored, a failure is
 * logged, and a node without a socket finds the same when it polls.
 */
import { allHubs, nodeHub } from '../../durable-objects/stubs.ts';
import type { CHANGED_TOPICS } from '../../schema/contracts/channel-frames.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { Boot } from '../../schema/contracts/objects.ts';
import type { SystemRecord } from '../../schema/contracts/system.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { runBestEffort } from '../log.ts';
import type { CommandDraft } from './commands.ts';
import { insertCommands, toCommand } from './commands.ts';

/** Ids that one frame carries. */
const MAX_IDS = 200;

/** The plan that stores commands and then sends them to their nodes. */
export function sendCommands(edge: Edge, drafts: readonly CommandDraft[]): Plan {
  if (drafts.length === 0) return {};
  return { statements: insertCommands(edge, drafts), after: () => pushCommands(edge, drafts) };
}

/** Sends stored commands to their nodes. */
export async function pushCommands({ env, now }: Edge, drafts: readonly CommandDraft[]): Promise<void> {
  await Promise.all(
    drafts.map((draft) =>
      runBestEffort('push_command', () =>
        nodeHub(env, draft.controller_id).push(draft.controller_id, {
          type: 'command',
          command: toCommand(draft, now),
        }),
      ),
    ),
  );
}

/** Asks that node to read these again. */
export async function pushChanged(
  env: Env,
  nodeId: string,
  topic: (typeof CHANGED_TOPICS)[number],
  ids: readonly string[],
): Promise<void> {
  await runBestEffort('push_changed', () =>
    nodeHub(env, nodeId).push(nodeId, { type: 'changed', topic, ids: ids.slice(0, MAX_IDS) }),
  );
}

/** Announces the system mode to all nodes. */
export async function announceMode(
  env: Env,
  { mode, version, hold }: Pick<SystemRecord, 'mode' | 'version' | 'hold'>,
): Promise<void> {
  await Promise.all(
    allHubs(env).map((hub) => runBestEffort('announce_mode', () => hub.announceMode(mode, version, hold))),
  );
}

/** Announces a free lease to the candidates that have connected since the last announcement. */
export async function offerLease(env: Env, lease: LeaseView): Promise<void> {
  await Promise.all(allHubs(env).map((hub) => runBestEffort('offer_lease', () => hub.offerLease(lease))));
}

/** Whether that process may act as the node (null: an agent of an older version). */
export function admitBoot(env: Env, nodeId: string, boot: Boot | null): Promise<boolean> {
  return nodeHub(env, nodeId).admit(nodeId, boot);
}

/** Notes that a node without a socket has made contact. */
export async function noteContact(env: Env, nodeId: string): Promise<void> {
  await runBestEffort('note_contact', () => nodeHub(env, nodeId).recordContact(nodeId));
}

/** Hands over the upgrade request of an authenticated node; `tokenExpiresAt` in Unix milliseconds, null for never. */
export function openChannel(
  env: Env,
  nodeId: string,
  request: Request,
  tokenExpiresAt: number | null,
): Promise<Response> {
  return nodeHub(env, nodeId).fetch(request, tokenExpiresAt);
}

/** Closes the sockets of that node. */
export async function closeChannels(env: Env, nodeId: string): Promise<void> {
  await nodeHub(env, nodeId).disconnect(nodeId);
}
