/** What the agent of this root says about itself, for commands that can do without it. */
import type { z } from 'zod';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Args } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { agentAccess } from './edge-access.ts';

const TIMEOUT_MS = 2_000;

/** A part of the agent's snapshot; null when no agent is known or it does not respond. */
export async function localSnapshot<T>(args: Args, deps: CommandDeps, schema: z.ZodType<T>): Promise<T | null> {
  let agent: EdgeClient | null = null;
  try {
    const { localApi, sharedToken } = agentAccess(args, deps);
    agent = deps.connect(localApi, sharedToken);
    return await agent.call({ method: 'GET', path: '/v1/status', timeoutMs: TIMEOUT_MS, schema });
  } catch {
    return null;
  } finally {
    await agent?.close();
  }
}
