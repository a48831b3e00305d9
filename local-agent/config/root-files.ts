/** The names of files and folders below a runtime root, and of the file that names the roots of this machine. */
import { join } from 'node:path';
import { homeFolder } from '../host/own-files.ts';

/** The root of a system that names none. */
export const defaultRoot = (): string => join(homeFolder(), '.baa');
export const configPathOf = (root: string): string => join(root, 'config.toml');
export const policyPathOf = ({ root }: { root: string }): string => join(root, 'policy.json');
/** What runs in this root: it is found by the root alone, so the setting `stateDir` does not move it. */
export const systemRecordPathOf = (root: string): string => join(root, 'state', 'system.json');
/** `service stop` has drained the node of a local system, whose next start ends the drain. It holds the node's id. */
export const drainedForStopPath = (root: string): string => join(root, 'state', 'drained-for-stop');
/** A backup was restored: the first start of the edge quarantines what was in flight. */
export const restoredPath = (root: string): string => join(root, 'edge', 'restored');
/** The state of a local edge: D1, Durable Objects and the bootstrap secret. */
export const edgeStateOf = (root: string): string => join(root, 'edge');
/** The bootstrap secret, in the state of a local edge and in what a deploy keeps. */
export const BOOTSTRAP_FILE = 'bootstrap.token';
/** A bootstrap secret of which it is not known yet whether the Worker has it. */
export const NEXT_BOOTSTRAP_FILE = `${BOOTSTRAP_FILE}.next`;
export const bootstrapPathOf = (root: string): string => join(edgeStateOf(root), BOOTSTRAP_FILE);
/** What a deploy keeps for the next one: the bootstrap secret, bookmarks of the database, and what was deployed. */
export const deployFolderOf = (root: string): string => join(root, 'state', 'deploy');
/** Files of the state folder, which the setting `stateDir` moves. */
export const OPERATOR_TOKEN_FILE = 'operator.token';
export const NODE_TOKEN_FILE = 'shared.token';
export const AGENT_DATABASE = 'agent.sqlite';
/** The only root of a policy that names none. */
export const workspaceOf = (root: string): string => join(root, 'workspace');
export const knownRootsPath = (): string => join(homeFolder(), '.local', 'state', 'baa-conductor', 'roots.json');
