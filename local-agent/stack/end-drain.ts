/**
 * `service stop` drains the node of a local system, so that it gives its runs up, and stops the edge with it. The next start ends
 * that drain; one that a person began is left alone.
 */
import { NodeDrainResponseSchema } from '../../schema/contracts/tasks.ts';
import { drainedForStopPath } from '../config/root-files.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import { readOwnFile, removeOwnFile } from '../host/own-files.ts';
import type { Layout } from './layout.ts';

/** `edge` has the operator's rights. @throws EdgeError when the edge cannot be reached or fails */
export async function endDrainOfStop(edge: EdgeClient, { root }: Pick<Layout, 'root'>): Promise<void> {
  const mark = drainedForStopPath(root);
  const nodeId = readOwnFile(mark)?.trim();
  if (nodeId === undefined) return;
  const path = `/v1/controllers/${encodeURIComponent(nodeId)}/drain`;
  try {
    await edge.call({ method: 'POST', path, body: { on: false }, schema: NodeDrainResponseSchema });
  } catch (error) {
    // A state that was restored from before the node was there.
    if (!(error instanceof EdgeError && error.code === 'controller_not_found')) throw error;
  }
  removeOwnFile(mark);
}
