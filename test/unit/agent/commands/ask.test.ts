import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import type { Ask } from '../../../../schema/contracts/asks.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { instantClock } from '../../../support/test-clock.ts';

const CONVERSATION = `lc_${'0'.repeat(26)}`;
const ASK: Ask = {
  operation_id: 'op-1',
  local_conversation_id: CONVERSATION,
  state: 'sent',
  reason: 'being_delivered',
  text: "what's next?",
  deadline_at: 10,
  created_at: 1,
  sent_at: 1,
  delivered_at: null,
  finished_at: null,
  answer: null,
};
const ANSWER = {
  message_id: 'msg_1',
  assistant_message_id: 'a1',
  text: 'the roof\u001b[2J',
  observed_at: 5,
  evidence: 'named',
} as const;

type State = Partial<Ask> | (() => Partial<Ask>);

const away = () => {
  throw new EdgeError('network', 0, 'network', 'http://edge cannot be reached');
};

/** An edge whose ask passes through these states, and a clock whose every wait is over at once. */
function world(first: State & { terminal?: true }, ...more: State[]) {
  const states = [first, ...more];
  const isTerminal = first.terminal === true;
  let at = -1;
  const respond = (_call: CommandCall) => {
    at = Math.min(at + 1, states.length - 1);
    const state = states[at];
    return { ...ASK, ...(typeof state === 'function' ? state() : state) };
  };
  const made = commandWorld(respond, { clock: instantClock(), isTerminal });
  return { ...made, run: (...argv: string[]) => runCli(['ask', CONVERSATION, "what's next?", ...argv], made.deps) };
}

describe('conductor ask', () => {
  it('sends the text under the operation that it was given, and says how to wait for the answer', async () => {
    const { run, calls, stderr } = world({});
    expect(await run('--operation-id', 'op-1')).toBe(0);
    expect(calls).toMatchObject([
      {
        method: 'POST',
        path: `/v1/conversations/${CONVERSATION}/ask`,
        body: { operation_id: 'op-1', text: "what's next?" },
      },
    ]);
    expect(stderr()).toContain(String.raw`ask ${CONVERSATION} 'what'\''s next?' --wait --operation-id op-1`);
  });

  it('makes an operation of its own when none is named, and says its id before it sends', async () => {
    const saidBefore: string[] = [];
    const { run, calls, err } = world(() => {
      saidBefore.push(...err);
      return {};
    });
    await run();
    expect(calls[0]?.body).toMatchObject({ operation_id: expect.stringMatching(/^ask-[0-9a-f-]{36}$/) });
    expect(calls[0]?.body).toMatchObject({ operation_id: saidBefore[0]?.replace('operation id ', '') });
  });

  it('that got no response says the line that sends nothing twice', async () => {
    const { run, stderr } = world(away);
    expect(await run('--root', '/srv/my baa', '--wait')).toBe(3);
    expect(stderr()).toMatch(
      /It may have happened. This line repeats it, with no second effect:\n {2}conductor ask lc_0+ 'what'\\''s next\?' --root '\/srv\/my baa' --wait --operation-id ask-[0-9a-f-]{36}$/m,
    );
  });

  it('that the edge refuses has the reason alone', async () => {
    const { run, stderr } = world(() => {
      throw new EdgeError('status', 404, 'not_found', 'there is no conversation');
    });
    expect(await run('--wait')).toBe(1);
    expect(stderr()).not.toContain('repeats it');
  });

  it('waits on when the edge is away for a while, and says so once', async () => {
    const { run, out, err } = world({}, away, away, { state: 'sent' }, { state: 'answered', answer: ANSWER });
    expect(await run('--wait', '--operation-id', 'op-1')).toBe(0);
    expect(out).toEqual(['the roof\\u{1b}[2J']);
    expect(err).toEqual([expect.stringContaining('cannot be reached; trying again until the time is over')]);
  });

  it('with --wait says on a terminal what it waits for', async () => {
    const { run, err } = world({ terminal: true }, {}, {}, { state: 'answered', answer: ANSWER });
    expect(await run('--wait', '--operation-id', 'op-1')).toBe(0);
    expect(err).toEqual([expect.stringContaining('op-1 is sent; waiting for the answer …')]);
  });

  it('of which the edge stops telling says the line that repeats it', async () => {
    const { run, stderr } = world({}, () => {
      throw new EdgeError('status', 401, 'revoked_token', 'the token is revoked');
    });
    expect(await run('--wait', '--operation-id', 'op-1')).toBe(1);
    expect(stderr()).toContain("next?' --wait --operation-id op-1");
  });

  it.each(['before the edge has answered', 'while it waits for the answer'])(
    'Ctrl-C %s says that line',
    async (when) => {
      const stop = Promise.withResolvers<'SIGINT'>();
      const { deps, stderr, calls } = commandWorld(() => ASK, { stopSignal: () => stop.promise });
      const { connect } = deps;
      const hangs = () => ({ ...connect('http://edge', 'operator'), call: () => new Promise<never>(() => undefined) });
      const isHanging = when.startsWith('before');
      const argv = ['ask', CONVERSATION, 'x', '--wait', '--operation-id', 'op-1'];
      const ended = runCli(argv, { ...deps, ...(isHanging && { connect: hangs }) });
      if (!isHanging) await expect.poll(() => calls.length).toBe(1);
      await setImmediate();
      stop.resolve('SIGINT');
      expect(await ended).toBe(1);
      expect(stderr()).toContain(`conductor ask ${CONVERSATION} x --wait --operation-id op-1`);
    },
  );

  it('with --wait prints the answer and nothing else, with control characters made visible', async () => {
    const { run, out, calls } = world({}, { state: 'sent' }, { state: 'answered', answer: ANSWER });
    expect(await run('--wait')).toBe(0);
    expect(out).toEqual(['the roof\\u{1b}[2J']);
    expect(calls.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
  });

  it('says when the browser did not name the answer', async () => {
    const { run, stderr } = world({ state: 'answered', answer: { ...ANSWER, evidence: 'next' } });
    expect(await run('--wait')).toBe(0);
    expect(stderr()).toContain('it is the next one');
  });

  it.each([
    ['failed', 'Ask again under a new operation id'],
    ['ambiguous', 'look at the chat before you ask again'],
  ] as const)('exits with 1 when it is %s, and says what to do', async (state, advice) => {
    const { run, stderr } = world({ state, reason: 'no_evidence' });
    expect(await run('--wait')).toBe(1);
    expect(stderr()).toContain(advice);
    expect(stderr()).toContain('no_evidence');
  });

  it('exits with 1 when the answer has not come within --timeout, and says how to wait on', async () => {
    const { run, stderr, calls } = world({});
    expect(await run('--wait', '--timeout', '2')).toBe(1);
    expect(calls.length).toBeLessThan(10);
    expect(stderr()).toContain('to wait for the answer');
  });

  it('with --json prints the ask as the API has it', async () => {
    const { run, out } = world({ state: 'answered', answer: ANSWER });
    await run('--wait', '--json');
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ state: 'answered', answer: { message_id: 'msg_1' } });
  });

  it.each([
    [['--timeout', '0'], '--timeout'],
    [['--operation-id', 'a b'], '--operation-id'],
  ])('%j is refused before the edge is asked', async (argv, named) => {
    const { run, calls, stderr } = world({});
    expect(await run(...argv)).toBe(2);
    expect(stderr()).toContain(named);
    expect(calls).toEqual([]);
  });
});
