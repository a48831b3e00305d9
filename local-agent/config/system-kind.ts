/** What runs in a root: the whole system, or the agent of an edge that runs apart from it. */
import { isLoopback } from '../lib/loopback.ts';
import type { ResolvedConfig } from './resolve.ts';
import { bootstrapPathOf } from './root-files.ts';
import type { SystemRecord } from './system-record.ts';

/** `system`: edge, clock and agent, as `npm start` runs them. `agent`: the agent of an edge that runs apart from it. */
export type SystemKind = 'system' | 'agent';

/** The sources by which a person names a value. */
export const NAMED: ReadonlySet<string> = new Set(['flag', 'environment', 'config.toml']);

export interface KindSources {
  resolved: ResolvedConfig;
  /** The record of the root; null when nothing was started there. */
  record: Pick<SystemRecord, 'edge_url'> | null;
  /** Whether a file exists. */
  exists: (path: string) => boolean;
}

/** What runs in the root, and why it is this, for people. */
export function systemKindOf({ resolved, record, exists }: KindSources): { kind: SystemKind; why: string } {
  const { config, origins } = resolved;
  const hasLocalEdge = exists(bootstrapPathOf(config.root));
  const edge = NAMED.has(origins.controlApiBase) ? config.controlApiBase : (record?.edge_url ?? null);
  const isLocal = edge === null || isLoopback(new URL(edge).hostname);
  if (hasLocalEdge && isLocal) return { kind: 'system', why: 'this root has a local edge' };
  if (edge === null) return { kind: 'system', why: 'no edge is named for this root, so it gets a local one' };
  return { kind: 'agent', why: `its edge is ${edge}` };
}
