import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { gapLine } from '../../../../schema/domain/log-gap.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const TASK = `task_${'0'.repeat(26)}`;
const created = () => ({ task_id: TASK, status: 'queued', branch_name: null, base_ref: null });

describe('tasks create', () => {
  it('makes a shell task of the script that it is given', async () => {
    const { deps, calls, out } = commandWorld(created);
    expect(await runCli(['tasks', 'create', 'make test', '--repo', 'app', '--host', 'mini'], deps)).toBe(0);
    expect(calls[0]).toMatchObject({
      method: 'POST',
      path: '/v1/tasks',
      body: {
        task_type: 'shell',
        title: 'make test',
        goal: 'make test',
        repo: 'app',
        constraints: { target_host: 'mini' },
      },
    });
    expect(out).toEqual([`${TASK} is queued`]);
  });

  it.each([
    ['codex', true],
    ['git', false],
  ])('of the type %s says how its work is tested: %s', async (type, isTested) => {
    const { deps, out } = commandWorld(created);
    expect(await runCli(['tasks', 'create', 'Fix it.', '--type', type, '--repo', 'app'], deps)).toBe(0);
    expect(out.join('\n').includes('where the repository has none, nothing is tested')).toBe(isTested);
  });

  it('takes the whole body from a file, where options replace fields', async () => {
    const steps = [{ kind: 'shell', name: 'build', input: { script: 'make' } }];
    const file = { task_type: 'codex', title: 'Build', goal: 'Build it.', steps, constraints: { after: [TASK] } };
    const { deps, calls } = commandWorld(created, {
      readFile: (path) => (path === 'task.json' ? JSON.stringify(file) : null),
    });
    expect(await runCli(['tasks', 'create', '--file', 'task.json', '--title', 'Mine'], deps)).toBe(0);
    expect(calls[0]?.body).toMatchObject({ task_type: 'codex', title: 'Mine', steps, constraints: { after: [TASK] } });
  });

  it('names the field that is wrong, and sends nothing', async () => {
    const { deps, calls, err } = commandWorld(created);
    expect(await runCli(['tasks', 'create', 'x', '--priority', 'soon'], deps)).toBe(2);
    expect(err.join('\n')).toContain('priority');
    expect(calls).toEqual([]);
  });
});

describe('tasks create for a coding agent that only config.toml names', () => {
  const config = '[agents.mine]\ncommand = "/opt/mine"\n';
  const readFile = (path: string) => (path.endsWith('config.toml') ? config : null);

  it('has the steps of the other coding agents', async () => {
    const { deps, calls } = commandWorld(created, { readFile });
    expect(await runCli(['tasks', 'create', 'Fix it.', '--type', 'mine'], deps)).toBe(0);
    expect(calls[0]?.body).toMatchObject({
      task_type: 'mine',
      steps: [
        { kind: 'agent', input: { agent: 'mine' } },
        { kind: 'test', input: {} },
        { kind: 'review', input: {} },
      ],
    });
  });

  it('leaves a type that nothing names to the edge, which says what the types are', async () => {
    const { deps, calls } = commandWorld(created, { readFile });
    await runCli(['tasks', 'create', 'Fix it.', '--type', 'mien'], deps);
    expect(calls[0]?.body).not.toHaveProperty('steps');
  });
});

describe('tasks create for what this host does not have', () => {
  const config = '[repos]\napp = "/src/app"\n\n[agents.codex]\ncommand = "codex"\n';
  const readFile = (path: string) => (path.endsWith('config.toml') ? config : null);

  it.each([
    [['x', '--repo', 'apq'], 'apq in [repos]'],
    [['x', '--type', 'claude', '--repo', 'app'], '[agents.claude]'],
  ])('%j says so at once', async (argv, missing) => {
    const { deps, out, stderr } = commandWorld(created, { readFile });
    expect(await runCli(['tasks', 'create', ...argv, '--operation-id', 'op-1'], deps)).toBe(0);
    expect(out[0]).toBe(`${TASK} is queued`);
    expect(stderr()).toBe(
      `/srv/baa/config.toml of this host does not name ${missing}: the task waits until a node has it`,
    );
  });

  it.each([[['x', '--repo', 'app', '--type', 'codex']], [['x']], [['x', '--repo', 'apq', '--host', 'other']]])(
    '%j says nothing',
    async (argv) => {
      const { deps, stderr } = commandWorld(created, { readFile });
      expect(await runCli(['tasks', 'create', ...argv, '--operation-id', 'op-1'], deps)).toBe(0);
      expect(stderr()).toBe('');
    },
  );
});

describe('changes of tasks, steps and nodes', () => {
  it.each([
    [['tasks', 'cancel', TASK, '--reason', 'no need'], `/v1/tasks/${TASK}/cancel`, { reason: 'no need' }],
    [['tasks', 'retry', TASK], `/v1/tasks/${TASK}/retry`, {}],
    [['tasks', 'hand-over', TASK], `/v1/tasks/${TASK}/hand-over`, {}],
    [
      ['steps', 'resolve', 'step_1', '--outcome', 'done', '--note', 'fine'],
      '/v1/steps/step_1/resolve',
      { outcome: 'done', note: 'fine' },
    ],
    [['nodes', 'drain', 'mini'], '/v1/controllers/mini/drain', { on: true }],
    [['nodes', 'drain', 'mini', '--off'], '/v1/controllers/mini/drain', { on: false }],
  ])('%j is one request', async (argv, path, body) => {
    const response = {
      task_id: TASK,
      status: 'canceled',
      cancel_requested_at: null,
      run_id: null,
      step_id: 'step_1',
      task_status: 'done',
      controller_id: 'mini',
      draining: true,
      runs: [],
    };
    const { deps, calls } = commandWorld(({ path: called }) =>
      called.includes('/steps/') ? { ...response, status: 'done' } : response,
    );
    expect(await runCli(argv, deps)).toBe(0);
    expect(calls).toMatchObject([{ method: 'POST', path, body }]);
  });
});

describe('tasks logs', () => {
  /** An edge whose log breaks off once in the middle, or `breaks` times. */
  async function logEdge(text: Buffer, breaksAt = 5, begins = (offset: number) => offset, breaks = 1) {
    const offsets: number[] = [];
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://edge');
      const offset = Number(url.searchParams.get('offset'));
      offsets.push(offset);
      response.writeHead(200, { 'content-type': 'text/plain' });
      if (offsets.length > breaks) return response.end(text.subarray(begins(offset)));
      response.flushHeaders();
      response.write(text.subarray(offset, breaksAt), () => response.destroy());
      return undefined;
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, offsets };
  }

  const atOnce = {
    now: () => 0,
    monotonic: () => 0,
    after: (_ms: number, run: () => void) => {
      run();
      return () => undefined;
    },
  };

  it.each([
    [
      'makes control characters visible, also in a pipe, and cuts no character in two',
      [],
      'caf\u00e9\n\\u{1b}]0;x\\u{7}\ufffd',
    ],
    ['prints the bytes as they are with --raw', ['--raw'], null],
  ])('%s', async (_name, options, printed) => {
    const text = Buffer.concat([Buffer.from('caf\u00e9\n\u001b]0;x\u0007'), Buffer.from([0xe9])]);
    const { url } = await logEdge(text, 'caf'.length + 1);
    const pieces: Uint8Array[] = [];
    const { deps } = commandWorld(() => null, { printBytes: (bytes) => void pieces.push(bytes) });
    const env = { ...deps.env, BAA_CONTROL_API_BASE: url };
    expect(await runCli(['tasks', 'logs', TASK, ...options], { ...deps, env, clock: atOnce })).toBe(0);
    expect(Buffer.concat(pieces)).toEqual(printed === null ? text : Buffer.from(printed));
  });

  it('continues behind what has arrived when the edge breaks off', async () => {
    const { url, offsets } = await logEdge(Buffer.from('one\ntwo\nthree\n'));
    const { deps, out } = commandWorld(() => null);
    const env = { ...deps.env, BAA_CONTROL_API_BASE: url };
    expect(await runCli(['tasks', 'logs', TASK, '-f'], { ...deps, env, clock: atOnce })).toBe(0);
    expect(out.join('')).toBe('one\ntwo\nthree\n');
    expect(offsets).toEqual([0, 5]);
  });
  it('counts the bytes that the edge does not keep, and not the line about them, when it continues', async () => {
    const text = Buffer.from(`one\n${gapLine(700)}two\nthree\n`);
    const breaksAt = text.indexOf('three');
    const { url, offsets } = await logEdge(text, breaksAt, () => breaksAt);
    const { deps, out } = commandWorld(() => null);
    const env = { ...deps.env, BAA_CONTROL_API_BASE: url };
    expect(await runCli(['tasks', 'logs', TASK, '-f'], { ...deps, env, clock: atOnce })).toBe(0);
    expect(out.join('')).toBe(text.toString());
    expect(offsets).toEqual([0, 'one\n'.length + 700 + 'two\n'.length]);
  });

  /** An edge whose log breaks off so often without a byte, each time after `openMs`. */
  async function followQuiet(breaks: number, openMs: number) {
    const { url, offsets } = await logEdge(Buffer.from('at last\n'), 0, () => 0, breaks);
    const { deps, out, stderr } = commandWorld(() => null);
    const env = { ...deps.env, BAA_CONTROL_API_BASE: url };
    const clock = { ...atOnce, monotonic: () => offsets.length * openMs };
    const code = await runCli(['tasks', 'logs', TASK, '-f'], { ...deps, env, clock });
    return { code, printed: out.join(''), errors: stderr() };
  }

  it('follows a step that prints nothing, however often the edge ends the stream', async () => {
    expect(await followQuiet(40, 60_000)).toMatchObject({ code: 0, printed: 'at last\n' });
  });

  it('gives up when the edge breaks off at once again and again', async () => {
    expect(await followQuiet(40, 100)).toMatchObject({ code: 3, errors: expect.stringContaining('again and again') });
  });
});
