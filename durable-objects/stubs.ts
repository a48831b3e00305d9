/**
 * The only place that names objects: which singleton, which shard of the hub. It returns plain objects typed by the
 * contracts, which are safe to await and to return. Each call makes a new stub, because a stub that failed stays broken.
 */
import { HEADER } from '../schema/contracts/common.ts';
import type { AutomationStateApi, LeaderLeaseApi, NodeHubApi, TimedJobsApi } from '../schema/contracts/objects.ts';
import { LEASE } from '../schema/defaults.ts';
import { ittyStub } from './automation-state/itty-adapter.ts';
import type { ObjectNamespace, ObjectsEnv } from './env.ts';

const SINGLETON = LEASE.name;
/** Each shard is an object of its own. A node's shard follows from its id alone. */
const HUB_SHARDS = 1;

/** The generated types cannot express `unknown` in a result, so the contract is asserted here, once. */
function stubOf<Api>(namespace: ObjectNamespace, name: string): Api {
  return namespace.get(namespace.idFromName(name)) as unknown as Api;
}

export function leaderLease(env: ObjectsEnv): LeaderLeaseApi {
  const stub = (): LeaderLeaseApi => stubOf(env.LEADER_LEASE, SINGLETON);
  return {
    acquire: (request) => stub().acquire(request),
    renew: (nodeId, term, ttlSec) => stub().renew(nodeId, term, ttlSec),
    renewAll: (renewals) => stub().renewAll(renewals),
    release: (request) => stub().release(request),
    read: () => stub().read(),
    ensureFence: () => stub().ensureFence(),
    compareFence: () => stub().compareFence(),
    raiseRestoredFence: () => stub().raiseRestoredFence(),
  };
}

export function automationState(env: ObjectsEnv): AutomationStateApi {
  const stub = (): AutomationStateApi => ittyStub(env.AUTOMATION_STATE, SINGLETON);
  return {
    read: () => stub().read(),
    change: (change) => stub().change(change),
    ensureFence: () => stub().ensureFence(),
    restoreCheck: (restored) => stub().restoreCheck(restored),
  };
}

export function timedJobs(env: ObjectsEnv): TimedJobsApi {
  const stub = (): TimedJobsApi => stubOf(env.TIMED_JOBS, SINGLETON);
  return {
    begin: (trigger, scheduledTime) => stub().begin(trigger, scheduledTime),
    finish: (batchId, nextDueAt) => stub().finish(batchId, nextDueAt),
    due: (at) => stub().due(at),
    read: () => stub().read(),
  };
}

export interface NodeHubStub extends NodeHubApi {
  /**
   * Hands over the upgrade request of that node, which the Worker has authenticated, with the expiry of its token (Unix
   * milliseconds; null for never).
   */
  fetch(request: Request, tokenExpiresAt: number | null): Promise<Response>;
}

/** The hub that holds that node's socket. */
export function nodeHub(env: ObjectsEnv, nodeId: string): NodeHubStub {
  const hub = shardName(nodeId);
  return {
    ...hubApi(env, hub),
    fetch: (request, tokenExpiresAt) => {
      const headers = new Headers(request.headers);
      // Set only here, over any value that the client sent: the hub trusts this header as the node's identity.
      headers.set(HEADER.controller_id, nodeId);
      headers.delete(HEADER.token_expires_at);
      if (tokenExpiresAt !== null) headers.set(HEADER.token_expires_at, String(tokenExpiresAt));
      headers.delete('authorization');
      return stubOf<{ fetch(request: Request): Promise<Response> }>(env.NODE_HUB, hub).fetch(
        new Request(request, { headers }),
      );
    },
  };
}

/** Every hub, for what is sent to all nodes. */
export function allHubs(env: ObjectsEnv): NodeHubApi[] {
  return Array.from({ length: HUB_SHARDS }, (_, shard) => hubApi(env, hubName(shard)));
}

function hubApi(env: ObjectsEnv, hub: string): NodeHubApi {
  const stub = (): NodeHubApi => stubOf(env.NODE_HUB, hub);
  return {
    push: (nodeId, frame) => stub().push(nodeId, frame),
    broadcast: (frame) => stub().broadcast(frame),
    announceMode: (mode, version, hold) => stub().announceMode(mode, version, hold),
    announceLease: (lease) => stub().announceLease(lease),
    offerLease: (lease) => stub().offerLease(lease),
    admit: (nodeId, boot) => stub().admit(nodeId, boot),
    recordContact: (nodeId) => stub().recordContact(nodeId),
    presence: (controllerIds) => stub().presence(controllerIds),
    disconnect: (nodeId) => stub().disconnect(nodeId),
  };
}

/** FNV-1a. It never changes, because a node has to find its hub again. */
function shardName(nodeId: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(nodeId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hubName(hash % HUB_SHARDS);
}

function hubName(shard: number): string {
  return `hub-${shard}`;
}
