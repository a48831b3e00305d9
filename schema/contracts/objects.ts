/**
 * What the Durable Objects offer over RPC, and what they ask of the Worker. Expected outcomes are returned,
 * never thrown: across RPC an error loses its name and stack.
 */
import type { EdgeFrame } from './channel-frames.ts';
import type { Command, Receipt } from './commands.ts';
import type { Presence } from './controllers.ts';
import type {
  LeaderAcquireBody,
  LeaderAcquireResponse,
  LeaderReleaseBody,
  LeaderReleaseResponse,
  LeaseView,
} from './leader.ts';
import type { FenceMarks, SystemMode, SystemRecord } from './system.ts';
import type { TickResponse, TickTrigger } from './ticks.ts';

/** The fence in D1 could not be raised: nothing was granted, ask again. */
export interface FenceLag {
  status: 'fence_lag';
}

export interface FenceComparison {
  status: 'compared';
  behind: boolean;
  d1: FenceMarks;
  term: number;
}

/** What AutomationState found: `owed` is whether what was in flight has to be quarantined under the record's epoch. */
export interface RestoreFinding {
  status: 'checked';
  owed: boolean;
  d1: FenceMarks;
  record: SystemRecord;
}

export interface LeaseRenewal {
  controller_id: string;
  term: number;
  ttl_sec: number;
}

export interface LeaderLeaseApi {
  /** Acquires or renews. Durable before it answers; on a new term D1's fence is raised first. */
  acquire(request: LeaderAcquireBody): Promise<{ status: 'ok'; answer: LeaderAcquireResponse } | FenceLag>;
  /** A renewal by the term alone, as the channel carries it. */
  renew(
    nodeId: string,
    term: number,
    ttlSec: number,
  ): Promise<{ status: 'ok'; answer: LeaderAcquireResponse } | FenceLag>;
  /** The renewals of one turn of a hub, answered in their order after one commit. */
  renewAll(renewals: LeaseRenewal[]): Promise<{ status: 'ok'; answers: LeaderAcquireResponse[] } | FenceLag>;
  release(request: LeaderReleaseBody): Promise<LeaderReleaseResponse>;
  read(): Promise<LeaseView>;
  /** Raises a lagging fence; `true` when D1 stands where the object stands. */
  ensureFence(): Promise<boolean>;
  /** Whether D1 stands behind what it had confirmed to this object: it was restored. Changes nothing. */
  compareFence(): Promise<FenceComparison | FenceLag>;
  /** Raises the fence of a restored D1 anew. */
  raiseRestoredFence(): Promise<boolean>;
}

export interface SystemChange {
  mode: SystemMode;
  requested_by: string | null;
  reason: string | null;
}
export interface AutomationStateApi {
  read(): Promise<SystemRecord>;
  /** Compare-and-set inside the object; a repeat changes nothing. D1's fence is written before it answers. */
  change(change: SystemChange): Promise<{ status: 'applied' | 'unchanged'; record: SystemRecord } | FenceLag>;
  ensureFence(): Promise<boolean>;
  /**
   * Compares D1's fence with what this object had raised it to. When D1 is behind, or `restored` says that it is, the
   * epoch and the version grow, and the fence is raised to that version. D1 gets the epoch from whoever has quarantined.
   */
  restoreCheck(restored: boolean): Promise<RestoreFinding | FenceLag>;
}

export interface TimedJobsApi {
  /** Takes the tick lock. A cron tick is known by its scheduled time and granted once. */
  begin(
    trigger: TickTrigger,
    scheduledTime: number | null,
  ): Promise<{ status: 'granted'; batch_id: string; deadline_at: number } | { status: 'busy' | 'duplicate' }>;
  /** Gives the lock back and arms the alarm at `nextDueAt` (Unix milliseconds), or not at all. */
  finish(batchId: string, nextDueAt: number | null): Promise<void>;
  /** Something becomes due then: the alarm moves earlier if need be, never later. */
  due(at: number): Promise<void>;
  read(): Promise<{ locked_until: number | null; next_due_at: number | null }>;
}

export interface NodeHubApi {
  /** Sends a frame to that node's socket; false when it has none. A push is never the record. */
  push(nodeId: string, frame: EdgeFrame): Promise<boolean>;
  broadcast(frame: EdgeFrame): Promise<number>;
  announceMode(mode: SystemMode, version: number): Promise<void>;
  announceLease(lease: LeaseView): Promise<void>;
  /** Nobody leads: tells it to those that have become candidates since, others having vanished without a word. */
  offerLease(lease: LeaseView): Promise<void>;
  /** That node was heard of by another way than its socket. */
  heard(nodeId: string): Promise<void>;
  presence(controllerIds: string[]): Promise<Record<string, Presence>>;
  /** Closes that node's sockets: their token is good no longer. Returns how many there were. */
  disconnect(nodeId: string): Promise<number>;
}

/** What objects may call in the Worker (a WorkerEntrypoint reached through `ctx.exports`). */
export interface EdgeBackendApi {
  tick(trigger: TickTrigger): Promise<TickResponse>;
  pendingCommands(nodeId: string): Promise<Command[]>;
  receipts(nodeId: string, receipts: Receipt[]): Promise<void>;
}
