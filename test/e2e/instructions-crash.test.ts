/**
 * kill -9 of a real agent at each stage of a message. Effects append to a file, so that a second effect would be seen.
 * Programs create a file when they start and wait for another file before they end, so that each stage is hit exactly.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTicks } from '../../local-agent/host/processes.ts';
import { askAgentFile } from '../support/agent-file.ts';
import { openBrowser } from '../support/browser.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';

const MINUTE_MS = 60_000;
const POLICY = { exec: { default: 'deny', shell: 'allow' } };
/** A program that counts its runs, signals its start, and waits until it may end. */
const WAITING = 'echo effect >> effects; echo $$ > begun; while [ ! -e go ]; do sleep 0.05; done';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
}, 2 * MINUTE_MS);
afterAll(() => cluster?.stop());

/** A new node with a browser in a new conversation. */
async function scene(name: string) {
  const node = await cluster.node(name);
  const workspace = join(node.root, 'workspace');
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(node.root, 'policy.json'), JSON.stringify(POLICY));
  await node.start();
  return { node, name, workspace, browser: await openBrowser(cluster, node, name) };
}
type Scene = Awaited<ReturnType<typeof scene>>;

function says({ browser, name }: Scene, ...scripts: string[]): Promise<void> {
  const lines = scripts.map((script) => `@conductor::exec::${script}`);
  return browser.says(`answer-${name}`, ['```baa', ...lines, '```'].join('\n'));
}

function effects({ workspace }: Scene): number {
  const file = join(workspace, 'effects');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

async function begun({ workspace }: Scene): Promise<number> {
  return until(
    async () => existsSync(join(workspace, 'begun')) && Number(readFileSync(join(workspace, 'begun'), 'utf8')),
  );
}

function isStored(node: TestNode, sql: string): Promise<boolean> {
  return until(async () => askAgentFile(node, sql).length > 0);
}

/** Kills and restarts the node with a working network; the browser reconnects. */
async function killed(at: Scene): Promise<void> {
  await at.node.end('SIGKILL');
  at.node.proxy.heal();
  await at.node.start();
  at.browser = await openBrowser(cluster, at.node, at.name);
}

/** Statuses of the message's instructions at the edge, in order, once none is open and the reply is delivered. */
async function finalStatuses({ node }: Scene): Promise<string[]> {
  const rows = await until(async () => {
    type Row = { status: string; index: number; controller_id: string; message_id: string };
    const { items } = await cluster.call<{ items: Row[] }>('GET', '/v1/instructions?limit=200');
    const own = items.filter((one) => one.controller_id === node.id).sort((a, b) => a.index - b.index);
    const open = ['claimed', 'running', 'waiting', 'awaiting_approval'];
    if (own.length === 0 || own.some(({ status }) => open.includes(status))) return null;
    const path = `/v1/messages/${own[0]?.message_id}`;
    const { reply_outcome } = await cluster.call<{ reply_outcome: string | null }>('GET', path);
    return reply_outcome === null ? null : own;
  });
  return rows.map(({ status }) => status);
}

describe('an agent that is killed with kill -9', () => {
  it('an agent killed before the claim still reports the message, runs it once, and replies', async () => {
    const at = await scene('before-claim');
    at.node.proxy.cut('hard');
    await says(at, 'echo effect >> effects');
    await killed(at);
    expect((await at.browser.delivers()).message_text).toContain('ok');
    expect([await finalStatuses(at), effects(at)]).toEqual([['succeeded'], 1]);
  });

  it('an agent killed between two effects interrupts the first, and runs the second once', async () => {
    const at = await scene('mid-effect');
    await says(at, WAITING, 'echo effect >> second');
    const program = await begun(at);
    await killed(at);
    const { message_text } = await at.browser.delivers();
    expect(message_text).toContain('interrupted');
    expect(message_text).toContain('2\\. `conductor::exec` — ok');
    expect([await finalStatuses(at), effects(at)]).toEqual([['interrupted', 'succeeded'], 1]);
    expect(readFileSync(join(at.workspace, 'second'), 'utf8')).toBe('effect\n');
    // The next agent has killed the program that outlived the first one.
    await until(async () => startTicks(program) === null);
  });

  it('an agent killed after the effect reports the stored result, and runs nothing again', async () => {
    const at = await scene('before-report');
    await says(at, WAITING);
    await begun(at);
    at.node.proxy.cut('hard');
    writeFileSync(join(at.workspace, 'go'), '');
    await isStored(at.node, 'SELECT 1 FROM executions WHERE result IS NOT NULL');
    await killed(at);
    expect((await at.browser.delivers()).message_text).toContain('ok');
    expect([await finalStatuses(at), effects(at)]).toEqual([['succeeded'], 1]);
  });

  it('an agent killed before the delivery keeps the reply for the browser, and delivers it once', async () => {
    const at = await scene('before-delivery');
    await says(at, WAITING);
    await begun(at);
    await at.browser.client.close();
    writeFileSync(join(at.workspace, 'go'), '');
    await isStored(at.node, "SELECT 1 FROM deliveries WHERE state = 'queued'");
    await killed(at);
    expect((await at.browser.delivers()).message_text).toContain('ok');
    expect([await finalStatuses(at), effects(at)]).toEqual([['succeeded'], 1]);
    expect(at.browser.pendingDeliveries()).toEqual([]);
  });

  it('an agent killed during the delivery asks the browser, and does not send what that has sent', async () => {
    const at = await scene('mid-delivery');
    await says(at, 'echo effect >> effects');
    const { plan_id } = await at.browser.client.next('browser.proxy_delivery');
    await killed(at);
    // The browser never sends a plan twice: it responds with what it has stored.
    expect((await at.browser.delivers()).plan_id).toBe(plan_id);
    expect([await finalStatuses(at), effects(at)]).toEqual([['succeeded'], 1]);
    expect(at.browser.pendingDeliveries()).toEqual([]);
  });

  it('an agent killed during the delivery sends the reply again when the browser had not sent it', async () => {
    const at = await scene('mid-delivery-unsent');
    await says(at, 'echo effect >> effects');
    const { plan_id } = await at.browser.client.next('browser.proxy_delivery');
    await killed(at);
    const unsent = { accepted: false, failed: true, reason: 'connection_lost', downstream: null };
    expect((await at.browser.delivers(unsent)).plan_id).toBe(plan_id);
    const { plan_id: next, message_text } = await at.browser.delivers();
    expect(next).not.toBe(plan_id);
    expect(message_text).toContain('ok');
    expect([await finalStatuses(at), effects(at)]).toEqual([['succeeded'], 1]);
  });
});
