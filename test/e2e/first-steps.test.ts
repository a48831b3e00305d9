/** The first steps of README.md and of docs/start.md, run as they are written there, from an empty home folder. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeClient } from '../../local-agent/stack/bridge-client.ts';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { until } from '../support/cluster.ts';
import { newRepo, runGit } from '../support/git-repo.ts';
import { RunningLine, runLine } from '../support/system.ts';
import { tempDir } from '../support/temp-dir.ts';
import { ORIGIN, pageOf, TestBrowser } from '../support/test-browser.ts';

const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
const START = readFileSync(join(REPOSITORY, 'docs/start.md'), 'utf8');
/** No test may take the usual ports, which a person's own system uses. */
const FREE_PORTS = ' -- --port 0 --agent-port 0';

/** The section of a page with that title. */
function section(title: string, page = README): string {
  const [, rest = ''] = page.split(`\n## ${title}\n`);
  return rest.split('\n## ')[0] ?? '';
}

/** The lines of the shell blocks of a section, in order. */
function shellLines(title: string, page = README): string[] {
  const blocks = section(title, page).matchAll(/^```sh\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, text = '']) => text.trim().split('\n'));
}

/** The message that a page shows first: what is inside the block of four backticks. */
function exampleMessage(page = README): string {
  const [, text = ''] = /^````\n(.*?)^````$/ms.exec(page) ?? [];
  return text;
}

const running: RunningLine[] = [];
afterEach(async () => {
  for (const line of running.splice(0)) await line.end('SIGINT');
});

/** Starts a shell line that is ended after the test. */
function start(line: string, home: string): RunningLine {
  const started = new RunningLine(line, home);
  running.push(started);
  return started;
}

/** An unpaired browser, whose person types the code into its options. */
async function pairBrowser(agentUrl: string, code: string): Promise<TestBrowser> {
  const clientId = 'firefox-first';
  const stranger = await BridgeClient.connect({ agentUrl, origin: ORIGIN });
  stranger.send({ type: 'pair', code, client_id: clientId });
  const { token } = await stranger.next('paired');
  await stranger.close();
  return TestBrowser.connect({ agentUrl, clientId, token });
}

/** Runs a line until its output has this; resolves with the first match. */
function printsAtLast(line: string, home: string, pattern: RegExp): Promise<string> {
  return until(async () => pattern.exec((await runLine(line, home)).out)?.[0]);
}

/** The lines set the browser's conversation to `auto`; its next message is followed by a renewal. */
async function isRenewed(
  browser: TestBrowser,
  { conversations, auto }: { conversations: string; auto: string },
  home: string,
): Promise<void> {
  const conversation = await printsAtLast(conversations, home, /lc_\w+/);
  expect(await runLine(auto.replace('CONVERSATION_ID', conversation), home)).toMatchObject({ code: 0 });
  await browser.says('next-answer', 'The file is there.');
  expect(await browser.delivers()).toMatchObject({ conversation_id: 'first-conversation' });
}

describe('the first steps of README.md', () => {
  it('they work as written from an empty home folder', async () => {
    const home = tempDir();
    const [install, firefox, list = '', approve = '', conversations = '', auto = '', ...others] = shellLines('Try it');
    const expected = ['npm ci && npm start', 'npm run conductor -- firefox https://claude.ai/new'];
    expect([install, firefox, others]).toEqual([...expected, []]);

    const system = start(`npm start${FREE_PORTS}`, home);
    const agentUrl = await system.prints(/agent +(http:\S+)/);
    const link = await system.prints(/page +(http:\S+)/);
    const opened = await fetch(link, { redirect: 'manual' });
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/']);
    expect((await fetch(link)).status).toBe(401);
    // The tests in Firefox run `conductor firefox`; here a browser is paired by its code.
    const pairing = start('npm run conductor -- pair', home);
    const browser = await pairBrowser(agentUrl, await pairing.prints(/: (\d{8})$/m));
    expect(await pairing.ended).toMatchObject({ code: 0, out: expect.stringContaining('is paired') });

    browser.show(pageOf('first-conversation', 'claude'));
    await browser.says('first-answer', exampleMessage());
    const listed = await until(async () => {
      const { out } = await runLine(list, home);
      return /ins_\w+/.exec(out)?.[0];
    });
    const shown = await runLine(approve.replace('ID', listed), home);
    const line = /^to approve exactly this: (.*)$/m.exec(shown.err)?.[1] ?? 'false';
    expect(await runLine(line, home)).toMatchObject({ code: 0 });
    const reply = await browser.delivers();
    expect(reply.message_text).toContain(type());
    expect(reply.message_text).not.toMatch(/denied|failed/);
    expect(readFileSync(join(home, '.baa/workspace/notes/today.md'), 'utf8')).toBe('# Today\n');
    await isRenewed(browser, { conversations, auto }, home);
    await browser.client.close();
  });
});

/** Starts the system with a short settle time; resolves with its paired browser. */
async function startWithBrowser(home: string): Promise<TestBrowser> {
  const system = start(`npm start${FREE_PORTS} --timed-jobs-settle-delay-ms 1000`, home);
  const agentUrl = await system.prints(/agent +(http:\S+)/);
  const pairing = start('npm run conductor -- pair', home);
  const browser = await pairBrowser(agentUrl, await pairing.prints(/: (\d{8})$/m));
  expect(await pairing.ended).toMatchObject({ code: 0 });
  return browser;
}

describe('docs/start.md', () => {
  it('leads to the first instruction and the first renewal', async () => {
    const home = tempDir();
    const browser = await startWithBrowser(home);
    browser.show(pageOf('first-conversation', 'claude'));
    await browser.says('first-answer', exampleMessage(section('3. The first instruction', START)));
    expect((await browser.delivers()).message_text).toContain('files/write');
    expect(readFileSync(join(home, '.baa/workspace/notes/hello.md'), 'utf8')).toBe('# Hello\n');

    const [conversations = '', auto = '', ...others] = shellLines('5. The first renewal', START);
    expect(others).toEqual([]);
    await isRenewed(browser, { conversations, auto }, home);
    await browser.client.close();
  });

  it('leads to the first task, in a worktree of a repository that config.toml names', async () => {
    const home = tempDir();
    const title = '6. The first task';
    const [, config = ''] = /^```toml\n(.*?)^```$/ms.exec(section(title, START)) ?? [];
    const [, folder = ''] = /"~\/(.*)"/.exec(config) ?? [];
    const commit = runGit(newRepo(join(home, folder)), 'log', '--oneline');
    mkdirSync(join(home, '.baa'));
    writeFileSync(join(home, '.baa/config.toml'), config);
    await start(`npm start${FREE_PORTS}`, home).prints(/agent +(http:\S+)/);

    const [create = '', list = '', logs = '', ...others] = shellLines(title, START);
    expect(others).toEqual([]);
    expect(await runLine(create, home)).toMatchObject({ code: 0 });
    const task = await printsAtLast(list, home, /task_\w+/);
    const ended = await runLine(logs.replace('TASK_ID', task), home);
    expect(ended).toMatchObject({ code: 0, out: expect.stringContaining(commit) });
  });
});

describe('a second host by README.md', () => {
  it('the line of "nodes add" and "start" add a standby node', async () => {
    const [first, second] = [tempDir(), tempDir()];
    const [add = '', startNode = '', ...others] = shellLines('A second host');
    expect(others).toEqual([]);
    await start(`npm start${FREE_PORTS}`, first).prints(/edge +(http:\S+)/);

    const added = await runLine(add.replace('NAME', 'mini'), first);
    const init = /^BAA_SHARED_TOKEN=.*$/m.exec(added.out)?.[0] ?? '';
    expect(await runLine(init, second)).toMatchObject({ code: 0, out: expect.stringContaining('node mini is set up') });
    // Both hosts are this machine, whose usual port for browsers may be taken.
    const agent = start(`BAA_CONDUCTOR_LOCAL_API=http://127.0.0.1:0 ${startNode}`, second);
    await agent.prints(/state +standby/);
    await agent.prints(/start-scheduler/);
    const { out } = await until(async () => {
      const status = await runLine('npm run -s conductor -- status', first);
      return /^mini .*standby +yes/m.test(status.out) && status;
    });
    expect(out).toMatch(/^leader +\S+-main$/m);
    expect(await runLine('npm run -s conductor -- status --local', second)).toMatchObject({ code: 0 });
  });
});
