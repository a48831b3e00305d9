/** Decisions of people about instructions, and browser tools, on a real edge and real agents. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Platform } from '../../schema/contracts/common.ts';
import type { InstructionDetailSchema } from '../../schema/contracts/instructions.ts';
import { JournalBlockSchema } from '../../schema/contracts/journal.ts';
import { openBrowser } from '../support/browser.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import { operatorCommand } from '../support/operator-command.ts';
import type { TestBrowser } from '../support/test-browser.ts';

const MINUTE_MS = 60_000;
type Detail = z.infer<typeof InstructionDetailSchema>;

interface Scene {
  node: TestNode;
  name: string;
  workspace: string;
  browser: TestBrowser;
}

let cluster: Cluster;
const scenes: Scene[] = [];
beforeAll(async () => {
  cluster = await Cluster.start();
}, 2 * MINUTE_MS);
afterAll(() => cluster?.stop());
// The nodes of earlier tests must not run the instructions of later ones.
afterEach(() => Promise.all(scenes.splice(0).map(({ node }) => node.end('SIGTERM'))));

/** A new node with a browser in a new conversation. */
async function scene(name: string, policy: object, platforms?: Platform[]): Promise<Scene> {
  const node = await cluster.node(name);
  const workspace = join(node.root, 'workspace');
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(node.root, 'policy.json'), JSON.stringify(policy));
  await node.start();
  const made = { node, name, workspace, browser: await openBrowser(cluster, node, name, platforms) };
  scenes.push(made);
  return made;
}

function says({ browser, name }: Scene, ...lines: string[]): Promise<void> {
  return browser.says(`answer-${name}`, ['```baa', ...lines, '```'].join('\n'));
}

/** Waits until the scene's instruction has that status at the edge. */
function instruction({ node }: Scene, status: string, index = 0): Promise<Detail> {
  return until(async () => {
    const { items } = await cluster.call<{ items: Detail[] }>('GET', '/v1/instructions?limit=200');
    const found = items.find((one) => one.controller_id === node.id && one.index === index && one.status === status);
    return found && cluster.call<Detail>('GET', `/v1/instructions/${found.instruction_id}`);
  });
}

/** Runs a command as the operator; resolves with its exit code and output. */
const conductor = ({ node }: Scene, ...argv: string[]) => operatorCommand(cluster, node, ...argv);

describe('an instruction that asks a person', () => {
  const ASK = { exec: { default: 'ask' } };
  const RUN = '@conductor::exec::{"argv": ["sh", "script.sh"]}';

  it('an approved instruction runs, and the instructions behind it follow', async () => {
    const at = await scene('approved', ASK);
    writeFileSync(join(at.workspace, 'script.sh'), 'echo ran > first\n');
    await says(at, RUN, '@conductor::files/write::{"path": "second", "content": "x"}');
    const { instruction_id, approval } = await instruction(at, 'awaiting_approval');
    await instruction(at, 'waiting', 1);
    const shown = await conductor(at, 'instructions', 'approve', instruction_id);
    expect(shown).toMatchObject({ code: 2, out: expect.stringContaining('argv: ["sh","script.sh"]') });
    const hash = approval?.approval_hash ?? '';
    expect((await conductor(at, 'instructions', 'approve', instruction_id, '--hash', hash)).code).toBe(0);
    const { message_text } = await at.browser.delivers();
    expect(message_text).toMatch(/1\\\. .*ok[\s\S]*2\\\. .*ok/);
    expect([existsSync(join(at.workspace, 'first')), existsSync(join(at.workspace, 'second'))]).toEqual([true, true]);
  });

  it('a message that writes a program and then runs it needs one approval, and both happen', async () => {
    const at = await scene('in-turn', ASK);
    await says(at, '@conductor::files/write::{"path": "script.sh", "content": "echo ran > first\\n"}', RUN);
    const { instruction_id } = await instruction(at, 'awaiting_approval', 1);
    const approval = await until(async () => {
      const detail = await cluster.call<Detail>('GET', `/v1/instructions/${instruction_id}`);
      return detail.approval ?? undefined;
    });
    await cluster.call('POST', `/v1/instructions/${instruction_id}/approve`, { approval_hash: approval.approval_hash });
    expect((await at.browser.delivers()).message_text).toMatch(/1\\\. .*ok[\s\S]*2\\\. .*ok/);
    expect(readFileSync(join(at.workspace, 'first'), 'utf8')).toBe('ran\n');
    const verified = await conductor(at, 'journal', 'verify');
    expect(verified).toMatchObject({ code: 0 });
  });

  it('an approved instruction is denied when its file has changed before the effect', async () => {
    const at = await scene('drifted', ASK);
    writeFileSync(join(at.workspace, 'script.sh'), 'echo ran > first\n');
    await says(at, RUN);
    const { instruction_id, approval } = await instruction(at, 'awaiting_approval');
    writeFileSync(join(at.workspace, 'script.sh'), 'echo other > first\n');
    await cluster.call('POST', `/v1/instructions/${instruction_id}/approve`, {
      approval_hash: approval?.approval_hash,
    });
    expect((await at.browser.delivers()).message_text).toContain('approval_drifted');
    await instruction(at, 'denied');
    expect(existsSync(join(at.workspace, 'first'))).toBe(false);
  });
});

describe('an instruction that runs', () => {
  it('a running instruction shows its output, and a cancel ends it and is named in the reply', async () => {
    const at = await scene('canceled', { exec: { shell: 'allow' } });
    await says(at, '@conductor::exec::echo so far; sleep 600');
    const { instruction_id } = await instruction(at, 'running');
    const printed = await until(async () => {
      const { events } = await cluster.call<Detail>('GET', `/v1/instructions/${instruction_id}`);
      return events.find(({ kind }) => kind === 'output');
    });
    expect(printed.detail).toMatchObject({ offset: 0, chunk: 'so far\n' });
    expect((await conductor(at, 'instructions', 'cancel', instruction_id)).code).toBe(0);
    expect((await at.browser.delivers()).message_text).toMatch(/canceled[\s\S]*so far/);
    expect(await instruction(at, 'canceled')).toMatchObject({ error_code: 'canceled' });
  });
});

describe('a blocked message', () => {
  it('a blocked message runs when a person resubmits it, and gets a second reply', async () => {
    const at = await scene('resubmitted', {});
    await cluster.call('POST', '/v1/system/pause', {});
    await says(at, '@conductor::files/write::{"path": "late", "content": "x"}');
    expect((await at.browser.delivers()).message_text).toContain('system_paused');
    const { message_id } = await instruction(at, 'blocked');
    await cluster.call('POST', '/v1/system/resume', {});
    await cluster.call('POST', `/v1/messages/${message_id}/resubmit`, {});
    expect((await at.browser.delivers()).message_text).toContain('ok');
    await instruction(at, 'succeeded');
    expect(readFileSync(join(at.workspace, 'late'), 'utf8')).toBe('x');
  });
});

describe('a browser tool', () => {
  const ALLOWED = { tools: { 'browser.*/*': 'allow' } };
  const SEND = '@browser.gemini::send::{"prompt": "please review", "conversation_id": "another"}';

  it('a browser tool runs on the host that has the browser', async () => {
    const at = await scene('own-browser', ALLOWED);
    await says(at, SEND);
    expect(await at.browser.delivers()).toMatchObject({ platform: 'gemini', message_text: 'please review' });
    expect((await at.browser.delivers()).message_text).toContain('`browser.gemini::send` — ok');
    await instruction(at, 'succeeded');
  });

  it('a browser tool runs on another node when this host has no such browser', async () => {
    const helper = await scene('far-browser', ALLOWED);
    const at = await scene('no-gemini', ALLOWED, ['claude']);
    await says(at, SEND);
    expect(await helper.browser.delivers()).toMatchObject({ platform: 'gemini', message_text: 'please review' });
    expect((await at.browser.delivers()).message_text).toContain('`browser.gemini::send` — ok');
    await instruction(at, 'succeeded');
  });
});

describe('an interrupted instruction', () => {
  it('is resolved by a person who has looked, and the journal stays intact', async () => {
    const at = await scene('resolved', { tools: { 'browser.*/*': 'allow' } });
    await says(at, '@browser.gemini::send::{"prompt": "please review", "conversation_id": "another"}');
    // The page shows nothing, and the site has responded nothing, so it may have been sent.
    await at.browser.delivers({
      downstream: { method: 'dom', http_status: null, seen_in_page: false, duration_ms: 5 },
    });
    expect((await at.browser.delivers()).message_text).toContain('whether it took effect is not known');
    const { instruction_id } = await instruction(at, 'interrupted');
    const looked = await conductor(at, 'instructions', 'resolve', instruction_id, '--check');
    expect(looked).toMatchObject({ code: 0, out: expect.stringContaining('nothing was changed') });
    await instruction(at, 'interrupted');
    const said = await conductor(at, 'instructions', 'resolve', instruction_id, '--done', '--note', 'I see it there');
    expect(said).toEqual({ code: 0, out: `${instruction_id} is succeeded` });
    expect(await instruction(at, 'succeeded')).toMatchObject({
      resolution: { outcome: 'done', note: 'I see it there' },
    });
    expect(await conductor(at, 'journal', 'verify')).toMatchObject({ code: 0 });
  });
});

describe('a question of a person', () => {
  it('is answered by exactly its answer, and forgotten with its conversation, and the journal stays intact', async () => {
    const at = await scene('asked', { exec: { shell: 'allow' } });
    await says(at, '@conductor::exec::echo so far; sleep 2');
    expect((await at.browser.delivers()).message_text).toContain('so far');
    const { local_conversation_id: id } = await instruction(at, 'succeeded');
    const argv = ['ask', id, 'what is next?', '--wait', '--operation-id', 'e2e-1'];
    const asking = conductor(at, ...argv);
    const { message_text, plan_id } = await at.browser.delivers();
    expect(message_text).toBe('what is next?');
    await at.browser.says('next', 'the roof', { answers: plan_id });
    expect(await asking).toEqual({ code: 0, out: 'the roof' });
    // The same operation again sends nothing.
    expect(await conductor(at, ...argv)).toEqual({ code: 0, out: 'the roof' });
    expect(at.browser.pendingDeliveries()).toEqual([]);
    const forgotten = await conductor(at, 'conversations', 'forget', id, '--yes');
    expect(forgotten).toMatchObject({ code: 0, out: expect.stringContaining(`${id} is forgotten`) });
    const { items } = await cluster.call<{ items: Detail[] }>('GET', `/v1/instructions?local_conversation_id=${id}`);
    expect(items.map(({ params, output_summary }) => ({ params, output_summary }))).toEqual([
      { params: {}, output_summary: null },
    ]);
    expect(await conductor(at, 'journal', 'verify')).toMatchObject({ code: 0 });
  });
});

describe('the journal', () => {
  it('the journal that the edge chained is intact', async () => {
    const at = await scene('journalled', {});
    await says(at, '@conductor::files/write::{"path": "a", "content": "x"}');
    await at.browser.delivers();
    await instruction(at, 'succeeded');
    const { code, out } = await conductor(at, 'journal', 'verify');
    expect([code, out]).toEqual([0, expect.stringMatching(/^the journal of journalled is intact: \d+ entries/m)]);
    const exported = await conductor(at, 'journal', 'export');
    const blocks = exported.out.split('\n').map((line) => JournalBlockSchema.parse(JSON.parse(line)));
    const kinds = blocks.flatMap(({ entries }) => entries.map(({ kind }) => kind));
    expect(kinds).toEqual(expect.arrayContaining(['observed', 'judged', 'claimed', 'started', 'ended']));
  });
});

describe('the command line without a chat', () => {
  it('`run` runs an instruction under the policy, waits for its approval, and the journal has it', async () => {
    const at = await scene('by-hand', { exec: { default: 'ask' } });
    const call = (name: string, params: object) => `${name}::${JSON.stringify(params)}`;
    const written = await conductor(at, 'run', call('conductor::files/write', { path: 'by-hand', content: 'x' }));
    expect(written).toMatchObject({ code: 0, out: expect.stringMatching(/ins_\w+ succeeded on by-hand/) });
    expect(readFileSync(join(at.workspace, 'by-hand'), 'utf8')).toBe('x');

    const running = conductor(at, 'run', call('conductor::exec', { argv: ['sh', '-c', 'echo ran; exit 3'] }));
    const { instruction_id: id, approval } = await instruction(at, 'awaiting_approval');
    // The beginning of the id is enough: no other one has its first 22 characters.
    const approved = await conductor(
      at,
      'instructions',
      'approve',
      id.slice(0, 22),
      '--hash',
      approval?.approval_hash ?? '',
    );
    expect(approved.code).toBe(0);
    const { code, out } = await running;
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(`^${id} waits until a person approves it`, 'm'));
    expect(out).toMatch(/^ran$/m);
    expect(out).toMatch(new RegExp(`^${id} failed on by-hand with exit code 3`, 'm'));

    expect((await conductor(at, 'run', call('conductor::files/read', { path: '/etc/passwd' }))).code).toBe(1);
    expect(await conductor(at, 'journal', 'verify', '--of', 'by-hand')).toMatchObject({ code: 0 });
  });

  it('a call under an operation id that was used runs once', async () => {
    const at = await scene('by-hand-twice', {});
    const argv = [
      'run',
      '@conductor::files/write::{"path": "once", "content": "x"}',
      '--operation-id',
      'one',
      '--json',
    ];
    const [first, second] = [await conductor(at, ...argv), await conductor(at, ...argv)];
    const ids = [first, second].map(({ out }) => JSON.parse(out).instruction_id);
    expect([first.code, second.code, ids[0]]).toEqual([0, 0, ids[1]]);
  });

  it('everything that looks at the system prints JSON that parses', async () => {
    const at = await scene('looked-at', {});
    await says(at, '@conductor::files/list::{"pattern": "*"}');
    await at.browser.delivers();
    const { instruction_id, message_id, local_conversation_id } = await instruction(at, 'succeeded');
    const lists = [
      'audit',
      'browsers',
      'conversations',
      'grants',
      'instructions',
      'jobs',
      'messages',
      'nodes',
      'tasks',
      'ticks',
      'tokens',
    ];
    const looks = [
      ...lists.map((group) => [group, 'list']),
      ['audit', 'people'],
      ['browsers', 'show', 'firefox-looked-at'],
      ['conversations', 'limits'],
      ['conversations', 'show', local_conversation_id],
      ['instructions', 'show', instruction_id],
      ['leader', 'show'],
      ['leader', 'terms'],
      ['messages', 'show', message_id],
      ['nodes', 'show', 'looked-at'],
      ['notices', 'show'],
      ['status'],
      ['checklist'],
      ['config'],
    ];
    for (const argv of looks) {
      const { code, out } = await conductor(at, ...argv, '--json');
      expect(code, `${argv.join(' ')}: ${out}`).toBe(0);
      const [json = ''] = out.split('\n');
      expect(JSON.parse(json), argv.join(' ')).toBeTypeOf('object');
      const people = await conductor(at, ...argv);
      expect([people.code, people.out], argv.join(' ')).toEqual([0, expect.not.stringMatching(/undefined|\[object/)]);
    }
  });

  it('a tick is run, and a browser that was not stopped stays as it is', async () => {
    const at = await scene('ticked', {});
    expect(await conductor(at, 'ticks', 'run')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^tick \S+: \w+$/),
    });
    expect(await conductor(at, 'browsers', 'resume', 'firefox-ticked')).toEqual({
      code: 0,
      out: 'firefox-ticked was not stopped',
    });
  });
});
