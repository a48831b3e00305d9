/** Where the parts of a local system lie: this checkout, the agent's runtime root, the edge's state. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export const REPOSITORY = resolve(import.meta.dirname, '../..');

export interface Layout {
  /** The agent's runtime root. */
  root: string;
  /** D1 and Durable Objects of the local edge. */
  edgeState: string;
  logs: string;
  bootstrapFile: string;
  operatorFile: string;
  nodeTokenFile: string;
}

/** With a root of its own a system keeps everything below it; without, the edge's state stays in the checkout. */
export function layoutOf(root: string | undefined): Layout {
  const base = resolve(root ?? process.env.BAA_ROOT ?? join(homedir(), '.baa'));
  const edgeState = root === undefined ? join(REPOSITORY, '.wrangler', 'state') : join(base, 'edge');
  return {
    root: base,
    edgeState,
    logs: join(base, 'logs'),
    bootstrapFile: join(edgeState, 'bootstrap.token'),
    operatorFile: join(base, 'state', 'operator.token'),
    nodeTokenFile: join(base, 'state', 'shared.token'),
  };
}
