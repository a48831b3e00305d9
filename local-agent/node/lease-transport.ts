/** Lease requests of this node: renewals over the channel while it is up, everything else over HTTP. */
import { LeaderAcquireResponseSchema, LeaderReleaseResponseSchema } from '../../schema/contracts/leader.ts';
import { HTTP } from '../../schema/defaults.ts';
import type { Config } from '../config/settings.ts';
import type { Channel } from '../edge/channel.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { LeaseTransport } from './lease-loop.ts';
import type { LeaseRules } from './node-state.ts';

const SECOND_MS = 1_000;

export function leaseRules(config: Config): LeaseRules {
  const { nodeId, preferred, leaseTtlSec, leaseRenewIntervalMs, renewFailureThreshold } = config;
  return {
    nodeId,
    preferred,
    ttlMs: leaseTtlSec * SECOND_MS,
    renewIntervalMs: leaseRenewIntervalMs,
    renewFailureThreshold,
  };
}

export function leaseTransport(config: Config, client: EdgeClient, channel: Channel): LeaseTransport {
  const { nodeId: controller_id, host, preferred, priority, leaseTtlSec: ttl_sec } = config;
  const limitMs = Math.min(HTTP.request_timeout_ms, (ttl_sec * SECOND_MS) / 3);
  const post = { method: 'POST', timeoutMs: limitMs } as const;
  const acquire = () => {
    const body = { controller_id, host, ttl_sec, preferred, priority };
    return client.call({ ...post, path: '/v1/leader/acquire', body, schema: LeaderAcquireResponseSchema });
  };
  return {
    acquire,
    renew: (term) => channel.renew(term, ttl_sec, limitMs) ?? acquire(),
    release: (term) => {
      const body = { controller_id, term };
      return client.call({ ...post, path: '/v1/leader/release', body, schema: LeaderReleaseResponseSchema });
    },
    hasNotices: () => channel.isReady,
  };
}
