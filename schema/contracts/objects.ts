/**
 * What the Durable Objects offer over RPC, and what they call in the Worker. Expected outcomes are returned, never thrown:
 * across RPC an error loses its name and stack.
 */
import type { EdgeFrame } from './channel-frames.ts';
import type { Command, Receipt } from './commands.ts';
import type {
  LeaderAcquireBody,
  LeaderAcquireResponse,
  LeaderReleaseBody,
  LeaderReleaseResponse,
  LeaseView,
} from './leader.ts';
import type { Presence } from './nodes.ts';
import type { FenceMarks, SystemMode, SystemRecord } from './system.ts';
import type { TickDecision, TickGrant, TickTrigger } from './ticks.ts';

/** The fence in D1 could not be raised: nothing was granted, and the caller asks again. */
export interface FenceLag {
  status: 'fence_lag';
}

export interface FenceComparison {
  status: 'compared';
  behind: boolean;
  d1: FenceMarks;
  term: number;
}

/** What AutomationState found. `owed`: what was in flight has to be quarantined under the record's epoch. */
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
  /** Acquires or renews. Durable before it responds; for a new term D1's fence is raised first. */
  acquire(request: LeaderAcquireBody): Promise<{ status: 'ok'; response: LeaderAcquireResponse } | FenceLag>;
  /** A renewal by the term alone, as the channel carries it. */
  renew(
    nodeId: string,
    term: number,
    ttlSec: number,
  ): Promise<{ status: 'ok'; response: LeaderAcquireResponse } | FenceLag>;
  /** The renewals of one turn of a hub in one commit; the responses are in their order. */
  renewAll(renewals: LeaseRenewal[]): Promise<{ status: 'ok'; responses: LeaderAcquireResponse[] } | FenceLag>;
  release(request: LeaderReleaseBody): Promise<LeaderReleaseResponse>;
  read(): Promise<LeaseView>;
  /** Raises a lagging fence; `true` when D1 has what the object has. */
  ensureFence(): Promise<boolean>;
  /** Whether D1 is behind what it had confirmed to this object: then it was restored. Changes nothing. */
  compareFence(): Promise<FenceComparison | FenceLag>;
  /** Raises the fence of a restored D1 again. */
  raiseRestoredFence(): Promise<boolean>;
}

export interface SystemChange {
  mode: SystemMode;
  requested_by: string | null;
  reason: string | null;
  /** With `paused`: only a person ends this pause. */
  hold?: boolean | undefined;
  /** A person asks for it, or has approved it: only such a change ends a pause with `hold`. */
  by_person?: boolean | undefined;
}
/** A chat asked for the end of a pause that only a person ends. Nothing has changed. */
export interface Held {
  status: 'held';
  record: SystemRecord;
}
export interface AutomationStateApi {
  read(): Promise<SystemRecord>;
  /** Compare-and-set inside the object; a repeat changes nothing. D1's fence is raised before it responds. */
  change(change: SystemChange): Promise<{ status: 'applied' | 'unchanged'; record: SystemRecord } | Held | FenceLag>;
  ensureFence(): Promise<boolean>;
  /**
   * Compares D1's fence with what this object had raised it to. When D1 is behind, or `restored` is true, epoch and
   * version grow, and the fence is raised to that version. The caller writes the epoch to D1 once it has quarantined.
   */
  restoreCheck(restored: boolean): Promise<RestoreFinding | FenceLag>;
}

export interface TimedJobsApi {
  /** Takes the tick lock. A cron tick is identified by its scheduled time and granted once. */
  begin(trigger: TickTrigger, scheduledTime: number | null): Promise<TickGrant>;
  /** Releases the lock and sets the alarm to `nextDueAt` (Unix milliseconds), or to nothing. */
  finish(batchId: string, nextDueAt: number | null): Promise<void>;
  /** Something becomes due at `at`: the alarm moves earlier if it has to, never later. */
  due(at: number): Promise<void>;
  read(): Promise<{ locked_until: number | null; next_due_at: number | null }>;
}

/** One process of a node's agent. */
export interface Boot {
  boot_id: string;
  /** The boot before it that the edge has admitted; null for a new state folder. */
  previous_boot_id: string | null;
}

export interface NodeHubApi {
  /** Sends a frame to that node's socket; false when it has none. A push is never the record. */
  push(nodeId: string, frame: EdgeFrame): Promise<boolean>;
  broadcast(frame: EdgeFrame): Promise<number>;
  announceMode(mode: SystemMode, version: number, hold?: boolean): Promise<void>;
  announceLease(lease: LeaseView): Promise<void>;
  /** No node leads: notifies those that became candidates because others lost contact without closing their socket. */
  offerLease(lease: LeaseView): Promise<void>;
  /**
   * Whether that process may act as the node; if so, the sockets of other processes are closed. Null: an agent of an older
   * version, which names no boot and is always admitted.
   */
  admit(nodeId: string, boot: Boot | null): Promise<boolean>;
  /** Records a contact with that node that did not come through its socket. */
  recordContact(nodeId: string): Promise<void>;
  presence(controllerIds: string[]): Promise<Record<string, Presence>>;
  /** Closes that node's sockets because its token was revoked. Returns how many there were. */
  disconnect(nodeId: string): Promise<number>;
}

/** What the tick of an alarm decided, and when the next one is due (Unix milliseconds; null: nothing is due). */
export interface AlarmTickResult {
  decision: TickDecision;
  next_due_at: number | null;
}

/** What objects call in the Worker (a WorkerEntrypoint reached through `ctx.exports`). */
export interface EdgeBackendApi {
  /** Runs the tick of an alarm under the lock that TimedJobs holds for it, or logs that the lock was taken. */
  alarmTick(grant: TickGrant): Promise<AlarmTickResult>;
  pendingCommands(nodeId: string): Promise<Command[]>;
  receipts(nodeId: string, receipts: Receipt[]): Promise<void>;
}
