/** The folders and files of a local system: this checkout, the agent's runtime root, the edge's state. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { EDGE_STATE_FOLDER } from '../policy/own-paths.ts';

export const REPOSITORY = resolve(import.meta.dirname, '../..');

export interface Layout {
  /** The agent's runtime root. */
  root: string;
  /** D1 and Durable Objects of the local edge. */
  edgeState: string;
  logs: string;
  state: string;
  bootstrapFile: string;
  operatorFile: string;
  nodeTokenFile: string;
}

/** With an explicit root everything is below it; without one the edge's state is in the checkout. */
export function layoutOf(root: string | undefined): Layout {
  const base = resolve(root ?? process.env.BAA_ROOT ?? join(homedir(), '.baa'));
  const edgeState = root === undefined ? join(REPOSITORY, '.wrangler', 'state') : join(base, EDGE_STATE_FOLDER);
  const state = join(base, 'state');
  return {
    root: base,
    edgeState,
    logs: join(base, 'logs'),
    state,
    bootstrapFile: join(edgeState, 'bootstrap.token'),
    operatorFile: join(state, 'operator.token'),
    nodeTokenFile: join(state, 'shared.token'),
  };
}
