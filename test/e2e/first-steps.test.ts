/** The first steps of README.md, run as they are written there, from an empty home folder. */
import { readFileSync } from 'node:fs';
import { type } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeClient } from '../../local-agent/stack/bridge-client.ts';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { until } from '../support/cluster.ts';
import { RunningLine, runLine } from '../support/system.ts';
import { tempDir } from '../support/temp-dir.ts';
import { ORIGIN, pageOf, TestBrowser } from '../support/test-browser.ts';

const README = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
/** No test may take the usual ports, which a person's own system uses. */
const FREE_PORTS = ' -- --port 0 --agent-port 0';

/** The section of README.md with that title. */
function section(title: string): string {
  const [, rest = ''] = README.split(`\n## ${title}\n`);
  return rest.split('\n## ')[0] ?? '';
}

/** The lines of the shell blocks of a section, in order. */
function shellLines(title: string): string[] {
  const blocks = section(title).matchAll(/^```sh\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, text = '']) => text.trim().split('\n'));
}

/** The message that README.md shows: what is inside the block of four backticks. */
function exampleMessage(): string {
  const [, text = ''] = /^````\n(.*?)^````$/ms.exec(README) ?? [];
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

describe('the first steps of README.md', () => {
  it('they work as written from an empty home folder', async () => {
    const home = tempDir();
    const [install, firefox, list = '', approve = '', ...others] = shellLines('Try it');
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
    await browser.client.close();
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
