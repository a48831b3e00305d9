/** The runtime snapshot of a node, for `start --json`, `start --run-once` and `GET /v1/status`. */
import type { NodeState } from '../../schema/contracts/nodes.ts';
import type { BrowserView } from '../browsers/browser-list.ts';
import type { Config } from '../config/settings.ts';
import type { ModeSeen, SystemView } from '../edge/system-view.ts';
import type { RefusedEntry } from '../store/outbox.ts';
import type { Store } from '../store/store.ts';
import type { ChecklistStep } from './checklist.ts';
import type { NodeRuntime } from './node-runtime.ts';

const REFUSALS_SHOWN = 20;

export interface NodeIdentity {
  version: string;
  bootId: string;
  pid: number;
  startedAt: number;
}

export interface RuntimeSnapshot {
  identity: {
    controller_id: string;
    host: string;
    role: Config['role'];
    preferred: boolean;
    priority: number;
    version: string;
    boot_id: string;
    pid: number;
    started_at: number;
  };
  system: ModeSeen | null;
  lease: {
    state: NodeState;
    is_leader: boolean;
    term: number;
    holder_id: string | null;
    /** How long this node may act as leader without a renewal. */
    trusted_for_ms: number | null;
    candidate: boolean;
    /** A person drains this node: it leads no more, and claims no steps. */
    draining: boolean;
    failures: number;
  };
  loops: { heartbeat: boolean; lease: boolean; scheduler: boolean };
  /** Milliseconds since the last contact with the edge. */
  contact_age_ms: number | null;
  control_api_base: string;
  local_api: string | null;
  paths: Record<'root' | 'runs_dir' | 'worktrees_dir' | 'logs_dir' | 'state_dir' | 'tmp_dir', string>;
  /** Where programs of instructions are looked up, and which folders of the agent's PATH are not. */
  program_path: { path: string; left_out: string[] };
  outbox: { outbox_id: string; pending: number; refused: RefusedEntry[] };
  clients: BrowserView[];
  checklist: ChecklistStep[];
  warnings: readonly string[];
}

export interface SnapshotSources {
  config: Config;
  identity: NodeIdentity;
  system: SystemView;
  runtime: NodeRuntime;
  store: Store;
  /** URL of the local API; null when it is off. */
  localApi: string | null;
  browsers: BrowserView[];
  checklist: ChecklistStep[];
  warnings: readonly string[];
  programPath: RuntimeSnapshot['program_path'];
}

export function runtimeSnapshot(from: SnapshotSources): RuntimeSnapshot {
  const { config, identity, runtime, store, checklist } = from;
  const { state, term, holderId, candidate, draining, failures } = runtime.lease.view();
  const { root, runsDir, worktreesDir, logsDir, stateDir, tmpDir } = config;
  const { nodeId, host, role, preferred, priority } = config;
  const { version, bootId, pid, startedAt } = identity;
  const { outbox } = store;
  const isScheduling = checklist.some(({ key, status }) => key === 'start-scheduler' && status === 'ok');
  return {
    identity: {
      controller_id: nodeId,
      host,
      role,
      preferred,
      priority,
      version,
      boot_id: bootId,
      pid,
      started_at: startedAt,
    },
    system: from.system.seen,
    lease: {
      state,
      is_leader: runtime.lease.isLeader(),
      term,
      holder_id: holderId,
      trusted_for_ms: runtime.lease.trustedForMs(),
      candidate,
      draining,
      failures,
    },
    loops: {
      heartbeat: runtime.channel.isReady,
      lease: runtime.lease.isRunning,
      scheduler: isScheduling && runtime.mayClaim(),
    },
    contact_age_ms: runtime.contactAgeMs(),
    control_api_base: config.controlApiBase,
    local_api: from.localApi,
    paths: {
      root,
      runs_dir: runsDir,
      worktrees_dir: worktreesDir,
      logs_dir: logsDir,
      state_dir: stateDir,
      tmp_dir: tmpDir,
    },
    program_path: from.programPath,
    outbox: { outbox_id: outbox.outboxId, pending: outbox.pendingCount(), refused: outbox.refused(REFUSALS_SHOWN) },
    clients: from.browsers,
    checklist,
    warnings: from.warnings,
  };
}
