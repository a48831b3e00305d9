/** `run`: an instruction without a chat, through the edge's MCP endpoint. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { instantClock } from '../../../support/test-clock.ts';

const ID = 'ins_01kb3q5w1t0c9x8v7r6p5n4m3k';

interface ToolCall {
  id: string;
  params: { name: string; arguments: Record<string, unknown>; _meta: { operation_id: string } };
}

/** What a tool answers, with the progress that was reported before; `never` leaves the request open. */
interface Answer {
  data: Record<string, unknown>;
  isError?: boolean;
  progress?: string[];
  never?: true;
  /** The connection ends without an answer. */
  breaks?: true;
}

const encoder = new TextEncoder();

/** An edge that answers the calls of tools in order. */
function toolEdge(...answers: Answer[]) {
  const calls: ToolCall[] = [];
  vi.stubGlobal('fetch', async (url: URL, init: RequestInit) => {
    expect([String(url), new Headers(init.headers).get('authorization')]).toEqual([
      'http://edge/mcp',
      'Bearer operator',
    ]);
    const call = JSON.parse(String(init.body)) as ToolCall;
    calls.push(call);
    const { data, isError = false, progress = [], never, breaks } = answers.shift() ?? { data: {} };
    const events = progress.map((message) => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: call.id, progress: 1, message },
    }));
    const result = { content: [{ type: 'text', text: '' }], structuredContent: data, isError };
    const messages = [...events, ...(never || breaks ? [] : [{ jsonrpc: '2.0', id: call.id, result }])];
    const body = new ReadableStream({
      start(controller) {
        for (const message of messages) controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
        if (!never) controller.close();
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  return calls;
}

/** The pauses between two looks are over at once, and the whole wait never. */
function laterThanLooks(ms: number, run: () => void): () => void {
  if (ms <= 1_000) queueMicrotask(run);
  return () => undefined;
}

afterEach(() => void vi.unstubAllGlobals());

/** The id of the call, said before it is made. */
const NAMED = expect.stringMatching(/^operation id run-/);
const READ = 'conductor::files/read::notes/a.md';
const succeeded = { instruction_id: ID, status: 'succeeded', call: 'conductor::files/read', node: 'mini' };
const waiting = { instruction_id: ID, status: 'awaiting_approval', node: 'mini', message: 'a person decides' };
const world = () => commandWorld(() => ({}), { env: { ...commandWorld(() => ({})).deps.env, BAA_NODE_ID: 'mini' } });

describe('an instruction on the command line', () => {
  it('it is a call on this node under an operation id, and its output is printed', async () => {
    const calls = toolEdge({ data: { ...succeeded, output: 'hello\n', exit_code: null, duration_ms: 4 } });
    const { deps, out, err } = world();
    expect(await runCli(['run', READ, '--operation-id', 'op-1'], deps)).toBe(0);
    const args = { path: 'notes/a.md', node: 'mini' };
    expect(calls).toMatchObject([{ params: { name: 'files_read', arguments: args, _meta: { operation_id: 'op-1' } } }]);
    expect(out).toEqual(['hello']);
    expect(err).toEqual([`${ID} succeeded on mini in 4 ms`]);
  });

  it.each([
    [READ, ['--on', 'studio'], 'files_read', { path: 'notes/a.md', node: 'studio' }],
    ['@conductor::exec::{"argv": ["ls", "```"]}', [], 'exec', { argv: ['ls', '```'], node: 'mini' }],
    ['conductor::system/pause::{"reason": "lunch"}', [], 'system_pause', { reason: 'lunch' }],
    ['browser.claude::send::{"prompt": "hi"}', [], 'browser_send', { prompt: 'hi', platform: 'claude' }],
    [
      'conductor::output/read::{"instruction_id": "ins_1", "offset": 0}',
      [],
      'output_read',
      { instruction_id: 'ins_1', offset: 0 },
    ],
  ])('%s %j calls the tool %s', async (written, options, name, args) => {
    const calls = toolEdge({ data: succeeded });
    expect(await runCli(['run', written, ...options], world().deps)).toBe(0);
    expect(calls.map(({ params }) => [params.name, params.arguments])).toEqual([[name, args]]);
  });

  it.each([
    ['files/read', 'there is no instruction|not_an_instruction'],
    ['conductor::files/raed::a', 'unknown_tool: there is no tool conductor::files/raed'],
    ['conductor::exec::{"argv": "ls"}', 'invalid_params: argv: a list'],
    [`${READ}\n@${READ}`, 'one instruction at a time'],
    ['conductor::conversation/mode::{"scope": "current", "mode": "auto"}', 'conversations auto, manual or paused'],
  ])('%j is refused with the reason, before the edge is called', async (written, reason) => {
    const calls = toolEdge();
    const { deps, stderr } = world();
    expect(await runCli(['run', written], deps)).toBe(2);
    expect(stderr()).toMatch(new RegExp(reason));
    expect(calls).toEqual([]);
  });

  it('one that failed exits with 1, and its output and reason are shown', async () => {
    const failed = {
      ...succeeded,
      status: 'failed',
      error: 'exit_code',
      message: 'it ended as failed',
      output: 'no\n',
      exit_code: 2,
    };
    toolEdge({ data: failed, isError: true });
    const { deps, out, err } = world();
    expect(await runCli(['run', READ], deps)).toBe(1);
    expect(out).toEqual(['no']);
    expect(err).toEqual([NAMED, `${ID} failed on mini with exit code 2: exit_code: it ended as failed`]);
  });

  it('a long output is read to its end', async () => {
    const calls = toolEdge(
      { data: { ...succeeded, output: 'abc', output_chars: 7, next_offset: 3 } },
      { data: { instruction_id: ID, output_chars: 7, output: 'def' } },
      { data: { instruction_id: ID, output_chars: 7, output: 'g' } },
    );
    const { deps, stdout } = world();
    expect(await runCli(['run', READ, '--json'], deps)).toBe(0);
    expect(JSON.parse(stdout())).toMatchObject({ output: 'abcdefg', status: 'succeeded' });
    expect(calls.slice(1).map(({ params }) => params.arguments.offset)).toEqual([3, 6]);
  });

  it('an edge that cannot be reached exits with 3', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new Error('connect ECONNREFUSED')));
    const { deps, stderr } = world();
    expect(await runCli(['run', READ], deps)).toBe(3);
    expect(stderr()).toMatch(/the edge at http:\/\/edge cannot be reached: .*ECONNREFUSED/);
  });

  it('that got no answer says its operation id, and the line that does not run it twice', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new Error('socket hang up')));
    const { deps, err, stderr } = world();
    await runCli(['run', READ, '--on', 'studio'], deps);
    const [, id = ''] = /^operation id (run-[0-9a-f-]{36})$/.exec(err[0] ?? '') ?? [];
    expect(stderr()).toContain(
      `This line repeats it, with no second effect:\n  conductor run ${READ} --on studio --operation-id ${id}`,
    );
  });

  it('whose connection is lost is looked at, also while the edge is away, until it has ended', async () => {
    const ended = { ...succeeded, output: 'done' };
    const lost = { data: {}, progress: [`${ID} is running`], breaks: true as const };
    const calls = toolEdge(lost, lost, { data: {}, breaks: true }, { data: {}, breaks: true }, { data: ended });
    const { deps, out, err } = world();
    const clock = { ...instantClock(), after: laterThanLooks };
    expect(await runCli(['run', READ, '--operation-id', 'op-1'], { ...deps, clock })).toBe(0);
    expect(calls.map(({ params }) => params.name)).toEqual(['files_read', 'files_read', 'status', 'status', 'status']);
    expect(out).toEqual(['done']);
    expect(err[0]).toContain(`looking at ${ID} instead`);
    expect(err[1]).toContain('trying again until the wait is over');
  });
});

describe('an instruction that waits for a person', () => {
  const APPROVE = `${ID} waits until a person approves it. To look and decide: conductor instructions approve ${ID}`;

  it('it says so once, looks again, and prints the result of the approved instruction', async () => {
    const ended = { ...succeeded, output: 'done' };
    const calls = toolEdge(
      { data: waiting, progress: [`${ID} is sent`, `${ID} is awaiting_approval`] },
      { data: waiting },
      { data: ended },
    );
    const { deps, out, err } = world();
    let looks = 0;
    // The pauses between two looks pass at once; the first timer is the end of the whole wait, which never comes.
    const clock = {
      ...deps.clock,
      now: () => 0,
      monotonic: () => 0,
      after: (_ms: number, then: () => void) => {
        looks += 1;
        if (looks > 1) then();
        return () => undefined;
      },
    };
    expect(await runCli(['run', READ], { ...deps, clock })).toBe(0);
    expect(calls.map(({ params }) => params.name)).toEqual(['files_read', 'status', 'status']);
    expect(out).toEqual(['done']);
    expect(err).toEqual([NAMED, APPROVE, `${ID} succeeded on mini`]);
  });

  it('after the wait it says how to look again, and exits with 1', async () => {
    toolEdge({ data: {}, progress: [`${ID} is awaiting_approval`], never: true });
    const { deps, err, out } = world();
    let end: () => void = () => undefined;
    const clock = {
      ...deps.clock,
      now: () => 0,
      monotonic: () => 0,
      after: (ms: number, then: () => void) => {
        if (ms === 5_000) end = then;
        return () => undefined;
      },
    };
    const ended = runCli(['run', READ, '--wait', '5'], { ...deps, clock });
    await expect.poll(() => err).toEqual([NAMED, APPROVE]);
    end();
    expect(await ended).toBe(1);
    expect(out).toEqual([]);
    expect(err.at(-1)).toBe(
      `${ID} has not ended: it is awaiting_approval, and continues without this command. To look again: conductor instructions show ${ID}`,
    );
  });

  it('the wait ends it also while a later look gets no response', async () => {
    const calls = toolEdge({ data: waiting }, { data: {}, never: true });
    const { deps, err } = world();
    let end: () => void = () => undefined;
    const clock = {
      ...deps.clock,
      now: () => 0,
      monotonic: () => 0,
      after: (ms: number, then: () => void) => {
        if (ms === 5_000) end = then;
        else then();
        return () => undefined;
      },
    };
    const ended = runCli(['run', READ, '--wait', '5'], { ...deps, clock });
    await expect.poll(() => calls.length).toBe(2);
    end();
    expect(await ended).toBe(1);
    expect(err.at(-1)).toMatch('has not ended: it is awaiting_approval');
  });

  it.each(['-1', 'soon', '1e9'])('--wait %s is refused', async (wait) => {
    const { deps, stderr } = world();
    expect(await runCli(['run', READ, `--wait=${wait}`], deps)).toBe(2);
    expect(stderr()).toMatch('--wait: seconds from 0 to 86400');
  });
});
