/** What runs in a root: the whole system, or the agent of an edge that runs apart from it. */
import { BRIDGE } from '../../schema/defaults.ts';
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

/** Where `npm start` listens unless an option says otherwise. */
export const USUAL_PORTS = { edge: 8787, agent: Number(new URL(BRIDGE.default_local_api).port) };

function portOf(url: string | null | undefined): number | null {
  return url === null || url === undefined ? null : Number(new URL(url).port) || null;
}

/** The ports that a system has had, where paired browsers and open pages look for it; null: none is known. */
export function keptPortsOf({ resolved, record }: Pick<KindSources, 'resolved'> & { record: SystemRecord | null }) {
  const { config, origins } = resolved;
  const agent = NAMED.has(origins.localApi) ? config.localApi : record?.agent_url;
  return { edge: portOf(record?.edge_url), agent: portOf(agent) };
}
