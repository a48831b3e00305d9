/**
 * kill -9 of a real agent at each stage of a message's way. Effects append to a file, so that a second one would be
 * seen; programs say by a file that they have begun, and wait for another one, so that each stage is hit exactly.
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
/** Counts itself, says that it has begun, and waits until it may end. */
const WAITING = 'echo effect >> effects; echo $$ > begun; while [ ! -e go ]; do sleep 0.05; done';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
}, 2 * MINUTE_MS);
afterAll(() => cluster?.stop());

/** A node of its own, with its browser in a conversation of its own. */
async function scene(name: string) {
  const node = await cluster.node(name);
  const workspace = join(node.root, 'workspace');
  mkdirSync(workspace);
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

/** Killed and started again, with its network healed; the browser finds it again. */
async function killed(at: Scene): Promise<void> {
  await at.node.end('SIGKILL');
  at.node.proxy.heal();
  await at.node.start();
  at.browser = await openBrowser(cluster, at.node, at.name);
}

/** How the instructions of the scene's message stand at the edge, in order, once none is open and it is replied to. */
async function settled({ node }: Scene): Promise<string[]> {
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
  it('before the claim: the message is still told, runs once, and is answered', async () => {
    const at = await scene('before-claim');
    at.node.proxy.cut('hard');
    await says(at, 'echo effect >> effects');
    await killed(at);
    expect((await at.browser.delivers()).message_text).toContain('ok');
    expect([await settled(at), effects(at)]).toEqual([['succeeded'], 1]);
  });

  it('in the middle of one effect and before the next: the first is interrupted, the second runs once', async () => {
    const at = await scene('mid-effect');
    await says(at, WAITING, 'echo effect >> second');
    const program = await begun(at);
    await killed(at);
    const { message_text } = await at.browser.delivers();
    expect(message_text).toContain('interrupted');
    expect(message_text).toContain('2\\. `conductor::exec` — ok');
    expect([await settled(at), effects(at)]).toEqual([['interrupted', 'succeeded'], 1]);
    expect(readFileSync(join(at.workspace, 'second'), 'utf8')).toBe('effect\n');
    // What outlived the agent was ended by the next one.
    await until(async () => startTicks(program) === null);
  });

  it('after the effect, before the report: the stored result is told, and nothing runs again', async () => {
    const at = await scene('before-report');
    await says(at, WAITING);
    await begun(at);
    at.node.proxy.cut('hard');
    writeFileSync(join(at.workspace, 'go'), '');
    await isStored(at.node, 'SELECT 1 FROM executions WHERE result IS NOT NULL');
    await killed(at);
    expect((await at.browser.delivers()).message_text).toContain('ok');
    expect([await settled(at), effects(at)]).toEqual([['succeeded'], 1]);
  });

  it('before the delivery: the reply waits for the browser, and arrives once', async () => {
    const at = await scene('before-delivery');
    await says(at, WAITING);
    await begun(at);
    await at.browser.client.close();
    writeFileSync(join(at.workspace, 'go'), '');
    await isStored(at.node, "SELECT 1 FROM deliveries WHERE state = 'queued'");
    await killed(at);
    expect((await at.browser.delivers()).message_text).toContain('ok');
    expect([await settled(at), effects(at)]).toEqual([['succeeded'], 1]);
    expect(at.browser.pendingDeliveries()).toEqual([]);
  });

  it('while the reply is on its way: nobody knows whether it arrived, so it is not sent again', async () => {
    const at = await scene('mid-delivery');
    await says(at, 'echo effect >> effects');
    await at.browser.client.next('browser.proxy_delivery');
    await killed(at);
    expect([await settled(at), effects(at)]).toEqual([['succeeded'], 1]);
    expect(at.browser.pendingDeliveries()).toEqual([]);
  });
});
