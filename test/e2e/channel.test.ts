/**
 * Delivery of commands without a working channel: a network that refuses WebSockets, and one that loses a push. Each
 * command is carried out once.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RenewalJob } from '../../schema/contracts/renewal.ts';
import { block, openBrowser } from '../support/browser.ts';
import type { Cluster, TestNode } from '../support/cluster.ts';
import { until, withCluster } from '../support/cluster.ts';
import type { TestBrowser } from '../support/test-browser.ts';

const TTL_SEC = 15;
const RENEW_MS = 500;
const flags = ['--lease-ttl-sec', String(TTL_SEC), '--lease-renew-interval-ms', String(RENEW_MS)];
const vars = { BAA_TIMED_JOBS_SETTLE_DELAY_MS: '200' };
const POLICY = { exec: { default: 'allow' } };

async function nodeWithPolicy(cluster: Cluster): Promise<TestNode> {
  const node = await cluster.node('a', { flags });
  writeFileSync(join(node.root, 'policy.json'), JSON.stringify(POLICY), { mode: 0o600 });
  mkdirSync(join(node.root, 'workspace'), { recursive: true });
  return node;
}

/** Runs an instruction and waits for the delivery of its reply. */
async function runsAnInstruction(browser: TestBrowser, id: string): Promise<void> {
  await browser.says(id, block(`@conductor::exec::{"argv": ["echo", "it is ${id}"]}`));
  expect((await browser.delivers()).message_text).toContain(`it is ${id}`);
}

/** Waits for the running job, which a tick has sent by then. */
function sentJob(cluster: Cluster): Promise<RenewalJob> {
  return until(async () => {
    await cluster.stack.cron();
    const { items } = await cluster.call<{ items: RenewalJob[] }>('GET', '/v1/renewal/jobs?status=running');
    return items[0];
  });
}

/** The message reaches the edge, then the network drops all packets, then the push of its renewal is lost. */
async function sentIntoTheVoid(
  cluster: Cluster,
  node: TestNode,
  browser: TestBrowser,
  id: string,
): Promise<RenewalJob> {
  await browser.says(id, 'Half of it is done.');
  await until(async () => (await node.snapshot()).outbox.pending === 0);
  node.proxy.cut('silent');
  const job = await sentJob(cluster);
  expect(browser.pendingDeliveries()).toEqual([]);
  return job;
}

/** Waits until the job no longer runs; the edge may be unreachable meanwhile. */
const jobDone = (cluster: Cluster, jobId: string) =>
  until(async () => {
    const job = await cluster.call<RenewalJob>('GET', `/v1/renewal/jobs/${jobId}`).catch(() => null);
    return job?.status === 'running' ? null : job;
  });

async function setAuto(cluster: Cluster): Promise<void> {
  const { items } = await cluster.call<{ items: { local_conversation_id: string }[] }>(
    'GET',
    '/v1/renewal/conversations',
  );
  await cluster.call('POST', `/v1/renewal/conversations/${items[0]?.local_conversation_id}/auto`, {});
}

describe.concurrent('a node without a working channel', () => {
  it('a node whose WebSockets are refused renews its lease by HTTP, polls for commands, and delivers once', () =>
    withCluster(async (cluster) => {
      const node = await nodeWithPolicy(cluster);
      node.proxy.lets = 'no upgrades';
      await node.start();
      const { acquired_at } = await cluster.term(1);
      const browser = await openBrowser(cluster, node);
      await runsAnInstruction(browser, 'answer-1');
      await setAuto(cluster);
      await browser.says('answer-2', 'Half of it is done.');
      const job = await sentJob(cluster);
      expect((await browser.delivers()).message_text).toContain('Half of it is done.');
      expect(await jobDone(cluster, job.job_id)).toMatchObject({ status: 'done', attempt_count: 1 });
      // The first term is alive after its TTL, so it was renewed, and the node kept polling for commands.
      await until(async () => ((await cluster.leader()).renewed_at ?? 0) > acquired_at + TTL_SEC * 1_000);
      expect(await cluster.leader()).toMatchObject({ holder_id: 'a', term: 1 });
      expect(browser.pendingDeliveries()).toEqual([]);
      expect((await node.snapshot()).loops.heartbeat).toBe(false);
      expect(node.proxy.refusedUpgrades).toBeGreaterThan(1);
    }, vars));

  it('a node that a push did not reach gets the command when it reconnects, and delivers once', () =>
    withCluster(async (cluster) => {
      const node = await nodeWithPolicy(cluster);
      await node.start();
      const browser = await openBrowser(cluster, node);
      await runsAnInstruction(browser, 'answer-1');
      await setAuto(cluster);
      await until(async () => (await node.snapshot()).loops.heartbeat);
      const job = await sentIntoTheVoid(cluster, node, browser, 'answer-2');
      node.proxy.heal();
      expect((await browser.delivers()).message_text).toContain('Half of it is done.');
      expect(await jobDone(cluster, job.job_id)).toMatchObject({ status: 'done', attempt_count: 1 });

      // A killed edge loses all sockets but no command.
      await until(async () => (await node.snapshot()).loops.heartbeat);
      const next = await sentIntoTheVoid(cluster, node, browser, 'answer-3');
      cluster.stack.edge.kill();
      node.proxy.heal();
      expect((await browser.delivers()).message_text).toContain('Half of it is done.');
      expect(await jobDone(cluster, next.job_id)).toMatchObject({ status: 'done', attempt_count: 1 });
      expect(browser.pendingDeliveries()).toEqual([]);
    }, vars));
});
