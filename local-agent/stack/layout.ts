/** The folders and files of a local system, all below one root. */
import { join } from 'node:path';
import { bootstrapPathOf, edgeStateOf, NODE_TOKEN_FILE, OPERATOR_TOKEN_FILE } from '../config/root-files.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';

export const REPOSITORY: string = PROGRAM_FOLDER;

export interface Layout {
  /** The agent's runtime root. */
  root: string;
  /** Everything of the local edge. `wrangler … --local --persist-to` of this folder reads the same database. */
  edgeState: string;
  logs: string;
  state: string;
  bootstrapFile: string;
  operatorFile: string;
  nodeTokenFile: string;
}

export function layoutOf(root: string, logs = join(root, 'logs')): Layout {
  const edgeState = edgeStateOf(root);
  const state = join(root, 'state');
  return {
    root,
    edgeState,
    logs,
    state,
    bootstrapFile: bootstrapPathOf(root),
    operatorFile: join(state, OPERATOR_TOKEN_FILE),
    nodeTokenFile: join(state, NODE_TOKEN_FILE),
  };
}
