/** A pause takes effect on a node that was unreachable when it was set, before the node does ordinary work. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { block, openBrowser } from '../support/browser.ts';
import type { Cluster, TestNode } from '../support/cluster.ts';
import { until, withCluster } from '../support/cluster.ts';

const flags = ['--lease-ttl-sec', '15', '--lease-renew-interval-ms', '500'];
const POLICY = { exec: { default: 'allow' }, tools: { 'files/write': 'allow' } };
const write = (path: string) => block(`@conductor::files/write::{"path": "${path}", "content": "done"}`);
/** A program that runs until the test creates the file `go`. */
const WAITS = block('@conductor::exec::{"argv": ["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; echo gone"]}');

const FINAL = ['succeeded', 'blocked'];

interface Row {
  instruction_id: string;
  message_id: string;
  index: number;
  status: string;
  gate: string | null;
}

async function startNode(cluster: Cluster): Promise<{ node: TestNode; workspace: string }> {
  const node = await cluster.node('a', { flags });
  const workspace = join(node.root, 'workspace');
  writeFileSync(join(node.root, 'policy.json'), JSON.stringify(POLICY), { mode: 0o600 });
  mkdirSync(workspace, { recursive: true });
  await node.start();
  await until(async () => (await node.snapshot()).loops.heartbeat);
  return { node, workspace };
}

/** The instructions of that message in their order, once they meet the condition. */
function rowsOf(cluster: Cluster, id: string, isReady: (rows: Row[]) => boolean): Promise<Row[]> {
  return until(async () => {
    const messages = await cluster.call<{ items: { message_id: string; assistant_message_id: string }[] }>(
      'GET',
      '/v1/messages',
    );
    const message = messages.items.find((one) => one.assistant_message_id === id);
    if (message === undefined) return null;
    const { items } = await cluster.call<{ items: Row[] }>('GET', `/v1/instructions?message_id=${message.message_id}`);
    const rows = items.sort((a, b) => a.index - b.index);
    return isReady(rows) ? rows : null;
  });
}

/** Short programs, each of which appends a line with the time when it started. */
const STEPS = 32;
const STEP_SCRIPT = 'date +%s%3N >> starts; sleep 0.5';
const STEP_BLOCK = [
  '```baa',
  ...Array.from({ length: STEPS }, () => `@conductor::exec::${JSON.stringify({ argv: ['sh', '-c', STEP_SCRIPT] })}`),
  '```',
].join('\n');
const SILENT_LIMIT_MS = 10_000;
/** How long a program may take from the decision that starts it to its first line. */
const START_MS = 2_000;

/** When each of the short programs started, Unix milliseconds. */
function startsIn(workspace: string): number[] {
  const file = join(workspace, 'starts');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number) : [];
}

describe.concurrent('a pause that is set in the middle of a message', () => {
  it('a connected node starts nothing once the notice has arrived', () =>
    withCluster(async (cluster) => {
      const { node, workspace } = await startNode(cluster);
      const browser = await openBrowser(cluster, node);
      await browser.says('answer-1', STEP_BLOCK);
      await until(async () => startsIn(workspace).length >= 3);
      await cluster.call('POST', '/v1/system/pause', {});
      await until(async () => (await node.snapshot()).system?.mode === 'paused');
      const noticedAt = Date.now();
      const rows = await rowsOf(cluster, 'answer-1', (all) => all.every(({ status }) => FINAL.includes(status)));
      expect(rows.at(-1)).toMatchObject({ status: 'blocked', gate: 'system_paused' });
      expect((await browser.delivers()).message_text).toContain('not run: `system_paused`');
      // A program whose start was decided before may write its line after.
      expect(startsIn(workspace).filter((at) => at > noticedAt).length).toBeLessThanOrEqual(1);
    }));

  it('a node whose channel is silent starts nothing after ten seconds', () =>
    withCluster(async (cluster) => {
      const { node, workspace } = await startNode(cluster);
      const browser = await openBrowser(cluster, node);
      await browser.says('answer-1', STEP_BLOCK);
      await until(async () => startsIn(workspace).length >= 3);
      node.proxy.cut('silent');
      await cluster.call('POST', '/v1/system/pause', {});
      const pausedAt = Date.now();
      await setTimeout(SILENT_LIMIT_MS + START_MS + 2_000);
      const starts = startsIn(workspace);
      expect(starts.length).toBeLessThan(STEPS);
      expect(starts.filter((at) => at > pausedAt + SILENT_LIMIT_MS + START_MS)).toEqual([]);
      node.proxy.heal();
      const rows = await rowsOf(cluster, 'answer-1', (all) => all.every(({ status }) => FINAL.includes(status)));
      expect(rows.at(-1)).toMatchObject({ status: 'blocked', gate: 'system_paused' });
      expect(startsIn(workspace)).toEqual(starts);
      await browser.delivers();
    }));
});

describe.concurrent('a pause that is set while a node is unreachable', () => {
  it('a node that was killed before the pause and started during it blocks the work it had accepted', () =>
    withCluster(async (cluster) => {
      const { node, workspace } = await startNode(cluster);
      const browser = await openBrowser(cluster, node);
      node.proxy.cut('hard');
      await browser.says('answer-1', write('one.txt'));
      await node.end('SIGKILL');
      await cluster.call('POST', '/v1/system/pause', {});
      node.proxy.heal();
      await node.start();
      expect(await rowsOf(cluster, 'answer-1', (rows) => rows.length > 0)).toMatchObject([
        { status: 'blocked', gate: 'system_paused' },
      ]);
      const { system } = await node.snapshot();
      expect(system).toMatchObject({ mode: 'paused', mode_version: 1 });
      expect(existsSync(join(workspace, 'one.txt'))).toBe(false);

      // The node was down during a whole pause: it works under the mode version after the pause.
      await node.end('SIGKILL');
      await cluster.call('POST', '/v1/system/resume', {});
      await cluster.call('POST', '/v1/system/pause', {});
      await cluster.call('POST', '/v1/system/resume', {});
      await node.start();
      const again = await openBrowser(cluster, node);
      await again.says('answer-2', write('two.txt'));
      expect(await rowsOf(cluster, 'answer-2', (rows) => rows[0]?.status === 'succeeded')).toHaveLength(1);
      expect((await node.snapshot()).system).toMatchObject({ mode: 'running', mode_version: 4 });
      expect(existsSync(join(workspace, 'two.txt'))).toBe(true);
      expect(existsSync(join(workspace, 'one.txt'))).toBe(false);
    }));

  it('a node that was disconnected during an instruction stops before the next one', () =>
    withCluster(async (cluster) => {
      const { node, workspace } = await startNode(cluster);
      const browser = await openBrowser(cluster, node);
      await browser.says('answer-1', [WAITS, write('second.txt')].join('\n\n'));
      await rowsOf(cluster, 'answer-1', (rows) => rows[0]?.status === 'running');
      node.proxy.cut('silent');
      await cluster.call('POST', '/v1/system/pause', {});
      await setTimeout(SILENT_LIMIT_MS);
      writeFileSync(join(workspace, 'go'), '');
      await until(async () => (await node.snapshot()).outbox.pending > 0);
      expect(existsSync(join(workspace, 'second.txt'))).toBe(false);
      node.proxy.heal();
      const rows = await rowsOf(cluster, 'answer-1', (all) => all[1]?.status === 'blocked');
      expect(rows).toMatchObject([{ status: 'succeeded' }, { status: 'blocked', gate: 'system_paused' }]);
      // The reply to the executed instruction is still delivered.
      expect((await browser.delivers()).message_text).toContain('gone');
      expect(existsSync(join(workspace, 'second.txt'))).toBe(false);
    }));

  it('a pause with interrupt ends running instructions when the node reconnects', () =>
    withCluster(async (cluster) => {
      const { node, workspace } = await startNode(cluster);
      const browser = await openBrowser(cluster, node);
      await browser.says('answer-1', [WAITS, write('second.txt')].join('\n\n'));
      await rowsOf(cluster, 'answer-1', (rows) => rows[0]?.status === 'running');
      await cluster.call('POST', '/v1/system/pause', { interrupt: true });
      const rows = await rowsOf(cluster, 'answer-1', (all) => all.every(({ status }) => status !== 'running'));
      expect(rows[0]?.status).toBe('canceled');
      expect(['canceled', 'blocked']).toContain(rows[1]?.status);
      // The program never saw the file that it waits for, so the reply shows that it was ended.
      await browser.delivers();
      expect(existsSync(join(workspace, 'second.txt'))).toBe(false);
    }));
});
