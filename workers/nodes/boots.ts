/** Refuses a second agent under one node id, on the requests that make an agent act as its node. */
import type { Context } from 'hono';
import { nodeHub } from '../../durable-objects/stubs.ts';
import { BootIdSchema, HEADER } from '../../schema/contracts/common.ts';
import type { Boot } from '../../schema/contracts/objects.ts';
import { AppError } from '../../schema/errors.ts';
import type { AppEnv } from '../env.ts';
import { parse } from '../http/parse.ts';

/** The process that calls; null for an agent of an older version. */
function bootOf(c: Context<AppEnv>): Boot | null {
  const boot_id = c.req.header(HEADER.boot_id);
  if (boot_id === undefined) return null;
  const previous = c.req.header(HEADER.previous_boot_id);
  return {
    boot_id: parse(BootIdSchema, boot_id, HEADER.boot_id),
    previous_boot_id: previous === undefined ? null : parse(BootIdSchema, previous, HEADER.previous_boot_id),
  };
}

/** Throws `duplicate_node` while another process lives under that node id. */
export async function requireAdmitted({ c, env }: { c: Context<AppEnv>; env: Env }, nodeId: string): Promise<void> {
  const boot = bootOf(c);
  if (boot === null || (await nodeHub(env, nodeId).admit(nodeId, boot))) return;
  throw new AppError(
    'duplicate_node',
    `another agent runs under the node id ${nodeId}; stop it, or start this one with its own node id, state folder and token`,
    { details: { field: 'controller_id' } },
  );
}
