/** docs/runbook.md, rehearsed on a real system: what it says is brought about, and its own lines are run as they are there. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BridgeClient } from '../../local-agent/stack/bridge-client.ts';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { until } from '../support/cluster.ts';
import { RunningLine, runLine } from '../support/system.ts';
import { ORIGIN, pageOf, TestBrowser } from '../support/test-browser.ts';

const RUNBOOK = readFileSync(join(REPOSITORY, 'docs', 'runbook.md'), 'utf8');
/** As `npm link` installs it: the built program where it is current. */
const CONDUCTOR = 'conductor() { node local-agent/stack/conductor.js "$@"; };';
const home = mkdtempSync(join(tmpdir(), 'conductor-runbook-'));
const root = join(home, '.baa');

/** The lines of the command line in the shell blocks of that section; those of wrangler need an account. */
function linesOf(title: string): string[] {
  const [, rest = ''] = RUNBOOK.split(`\n## ${title}\n`);
  const section = rest.split('\n## ')[0] ?? '';
  const blocks = section.matchAll(/^ *```sh\n(.*?)^ *```$/gms);
  const lines = [...blocks].flatMap(([, text = '']) => text.split('\n').map((line) => line.trim()));
  const found = lines.filter((line) => line.startsWith('conductor '));
  if (found.length === 0) throw new Error(`the runbook has no lines below "${title}"`);
  return found;
}

let system: RunningLine;
const ready: { agent_url: string; edge_url: string } = { agent_url: '', edge_url: '' };

async function start(): Promise<void> {
  // At the ports that it has had: what was seen of an edge is kept by its address.
  const [port, agentPort] = [ready.edge_url, ready.agent_url].map((url) => (url === '' ? '0' : new URL(url).port));
  system = new RunningLine(`node local-agent/stack/main.ts --port ${port} --agent-port ${agentPort} --json`, home);
  Object.assign(ready, JSON.parse(await system.prints(/^\{.*"ready".*\}$/m)));
}

/** Runs a line of the runbook with the real names instead of its capitals. */
async function run(line: string, names: Record<string, string> = {}) {
  const named = Object.entries(names).reduce((text, [name, value]) => text.replace(name, value), line);
  return runLine(`${CONDUCTOR} ${named}`, home);
}

async function runs(line: string, names: Record<string, string> = {}): Promise<string> {
  const { code, out, err } = await run(line, names);
  expect([line, code, err]).toEqual([line, 0, err]);
  return out;
}

async function edge(method: string, path: string, body?: unknown): Promise<unknown> {
  const token = readFileSync(join(root, 'state/operator.token'), 'utf8').trim();
  const response = await fetch(`${ready.edge_url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

async function pairedBrowser(): Promise<TestBrowser> {
  const pairing = new RunningLine(`${CONDUCTOR} conductor pair`, home);
  const code = await pairing.prints(/: (\d{8})$/m);
  const stranger = await BridgeClient.connect({ agentUrl: ready.agent_url, origin: ORIGIN });
  stranger.send({ type: 'pair', code, client_id: 'firefox-runbook' });
  const { token } = await stranger.next('paired');
  await stranger.close();
  await pairing.ended;
  return TestBrowser.connect({ agentUrl: ready.agent_url, clientId: 'firefox-runbook', token });
}

/** The database of the edge, without its objects. */
function databaseFile(): string {
  const folder = join(root, 'edge/v3/d1');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return join(folder, names.find((name) => /\/[0-9a-f]{64}\.sqlite$/.test(name)) ?? '');
}

async function agentProcess(): Promise<number> {
  const found = await until(async () => /Agent: process (\d+) responds/.exec((await run('conductor doctor')).out)?.[1]);
  return Number(found);
}

/** Something that runs for long, once it runs; its id. */
async function running(): Promise<string> {
  const call = JSON.stringify({ argv: ['sleep', '600'] });
  const begun = new RunningLine(`${CONDUCTOR} conductor run 'conductor::exec::${call}' --wait 1`, home);
  await begun.ended;
  return until(async () => {
    const { out } = await run('conductor instructions list --status running');
    return /ins_\w+/.exec(out)?.[0];
  });
}

beforeAll(async () => {
  await start();
  const exec = { default: 'ask', rules: [{ match: { argv: ['sleep', '<word>'] }, decision: 'allow' }] };
  writeFileSync(join(root, 'policy.json'), JSON.stringify({ exec }), { mode: 0o600 });
});
afterAll(async () => {
  await system.end('SIGINT');
  rmSync(home, { recursive: true, force: true, maxRetries: 20 });
});

describe('docs/runbook.md', () => {
  it('begins with lines that run', async () => {
    const [doctor = '', status = ''] = RUNBOOK.split('\n## ')[0]?.match(/^conductor .*$/gm) ?? [];
    await runs(doctor);
    expect(await runs(status)).toMatch(/^leader +\S+-main$/m);
  });

  it('no node leads: the lines show who does and what the ticks did', async () => {
    const [nodes = '', ticks = '', local = '', restart, ...others] = linesOf('No node leads, or the leader is stuck');
    expect([restart, others]).toEqual(['conductor service restart', []]);
    await edge('POST', '/v1/timed-jobs/tick', {});
    expect(await runs(nodes)).toMatch(/leader +yes/);
    expect(await runs(ticks)).toMatch(/manual/);
    expect(await runs(local)).toContain('leader');
  });

  it('a node is lost: its token is revoked by the lines, and its agent is refused', async () => {
    const [nodes = '', running = '', list = '', revoke = '', ...others] = linesOf('A node is lost');
    expect(others).toEqual([]);
    const lost = (await edge('POST', '/v1/tokens', { role: 'controller', subject: 'lost', controller_id: 'lost' })) as {
      data: { token: string };
    };
    const asLost = () =>
      fetch(`${ready.edge_url}/v1/controllers/heartbeat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${lost.data.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ controller_id: 'lost', host: 'lost', role: 'standby', priority: 0, status: 'standby' }),
      });
    expect((await asLost()).status).toBe(200);
    expect(await runs(nodes)).toMatch(/^lost /m);
    await runs(running);
    const id = /^(tok_\w+) .*lost/m.exec(await runs(list))?.[1] ?? '';
    await runs(revoke, { TOKEN_ID: id });
    expect((await asLost()).status).toBe(401);
  });

  it('a breaker is open: a stopped browser is found and resumed, and a paused conversation is auto again', async () => {
    const [list = '', resume = '', conversations = '', auto = '', ...others] = linesOf('A breaker is open');
    expect(others).toEqual([]);
    const browser = await pairedBrowser();
    browser.show(pageOf('breaker', 'claude'));
    await browser.says('said', 'an answer');
    await until(async () => /firefox-runbook.*claude.*fresh/.test(await runs(list)));
    const sent = edge('POST', '/v1/browser/claude/send', { prompt: 'Hello.' });
    await browser.delivers({
      failed: true,
      reason: 'http_401',
      downstream: { method: 'dom', http_status: 401, seen_in_page: false, duration_ms: 1 },
    });
    await sent;
    expect(await runs(list)).toMatch(/firefox-runbook.*signed_out/);
    await runs(resume, { CLIENT_ID: browser.clientId });
    await until(async () => !(await runs(list)).includes('signed_out'));
    const id = /lc_\w+/.exec(await runs(conversations))?.[0] ?? '';
    expect(await runs(auto, { CONVERSATION_ID: id })).toBe(`${id} is auto`);
    await runs('conductor conversations manual CONVERSATION_ID', { CONVERSATION_ID: id });
    await browser.client.close();
  });

  it('something was interrupted: the agent is killed while a program runs, and the lines settle it', async () => {
    const [list = '', check = '', resolve = '', ...others] = linesOf('Something was interrupted');
    expect(others).toEqual([]);
    const INSTRUCTION_ID = await running();
    process.kill(await agentProcess(), 'SIGKILL');
    await until(async () => (await run(list)).out.includes(INSTRUCTION_ID));
    expect(await runs(check, { INSTRUCTION_ID })).toContain(
      'in no Git repository, so nothing here shows what the program has done',
    );
    expect(await runs(resolve, { INSTRUCTION_ID })).toBe(`${INSTRUCTION_ID} is succeeded`);
    expect((await run(list)).out).not.toContain(INSTRUCTION_ID);
  });

  it('stop everything: what runs ends, nothing begins, and the last line lets it run again', async () => {
    const [hold = '', interrupt = '', resume = '', ...others] = linesOf('Stop everything');
    expect(others).toEqual([]);
    const id = await running();
    expect(await runs(hold)).toMatch(/paused/);
    expect((await run('conductor instructions list --status running')).out).toContain(id);
    await runs(interrupt);
    await until(async () => !(await run('conductor instructions list --status running')).out.includes(id));
    const { code } = await run(`conductor run 'conductor::exec::{"argv": ["sleep", "1"]}'`);
    expect(code).not.toBe(0);
    expect(await runs(resume)).toMatch(/running/);
  });

  it('the database is restored to an earlier time: the lines reconcile it, and work continues', async () => {
    const lines = linesOf('Restore the database');
    const [hold = '', check = '', verify = '', resume = '', ...others] = lines;
    expect(others).toEqual([]);
    const write = (name: string) => `conductor run 'conductor::files/write::{"path": "${name}", "content": "x"}'`;
    await runs(write('before'));
    await system.end('SIGINT');
    const earlier = join(home, 'earlier.sqlite');
    cpSync(databaseFile(), earlier);
    await start();
    await runs(write('after'));
    // Its head is remembered, so that a shorter journal is noticed.
    await runs(verify);
    await runs(hold);
    await system.end('SIGINT');
    cpSync(earlier, databaseFile());
    for (const end of ['-wal', '-shm']) rmSync(`${databaseFile()}${end}`, { force: true });
    await start();
    await runs(check);
    const { code, out, err } = await run(verify);
    expect([code, `${out}${err}`]).toEqual([1, expect.stringMatching(/journal/)]);
    await runs(resume);
    await until(async () => (await run(write('again'))).code === 0);
  });

  it('a secret leaked: the audit lists who did what', async () => {
    const [audit = '', ...others] = linesOf('Rotate secrets');
    expect(others).toEqual([]);
    expect(await runs(audit)).toMatch(/POST \/v1\/system\/restore-check/);
  });
});
