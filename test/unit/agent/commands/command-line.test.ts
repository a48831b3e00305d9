import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const nothing = () => ({});

describe('the command line', () => {
  it.each([
    ['an unknown option', ['config', '--bogus'], /^conductor: unknown option '--bogus'/],
    ['a misspelt option', ['pause', '--reson', 'x'], /Did you mean --reason\?/],
    ['an unknown command', ['frobnicate'], /^conductor: unknown command 'frobnicate'/],
    ['a misspelt command', ['statsu'], /Did you mean status\?/],
    ['an unknown command of a group', ['tokens', 'creat'], /Did you mean create\?/],
    ['a group without a command', ['steps'], /Commands:/],
    ['a missing argument', ['jobs', 'show'], /missing required argument 'job'/],
    ['an extra argument', ['config', 'extra'], /too many arguments.*extra/],
    ['a missing required option', ['tokens', 'create', '--role', 'readonly'], /'--subject <subject>' not specified/],
    ['a missing value at the end', ['pause', '--reason'], /'--reason <text>' argument missing/],
    ['a missing value before an option', ['pause', '--reason', '--root'], /'--root' is invalid.*value is missing/],
    ['a number that is none', ['tasks', 'list', '--limit', 'many'], /'many' is invalid.*whole number from 1 to 200/],
    ['a number out of its range', ['tasks', 'list', '--limit', '201'], /'201' is invalid.*whole number from 1 to 200/],
    ['a place that is no number', ['ticks', 'list', '--after', 'x'], /'x' is invalid.*whole number of at least 0/],
    ['an invalid setting', ['config', '--lease-ttl-sec', '5'], /--lease-ttl-sec/],
  ])('%s exits with 2 and is explained on standard error', async (_what, argv, message) => {
    const world = commandWorld(nothing);
    expect(await runCli(argv, world.deps)).toBe(2);
    expect(world.stderr()).toMatch(message);
    expect(world.err.at(-1)).toMatch(/^conductor( [a-z]+)* --help lists /);
    expect(world.stdout()).toBe('');
    expect(world.calls).toEqual([]);
  });

  it.each([
    [['ticks'], ['ticks', 'list']],
    [
      ['audit', '--json'],
      ['audit', 'list', '--json'],
    ],
    [
      ['leader', '--root', '/nowhere'],
      ['leader', 'show', '--root', '/nowhere'],
    ],
    [
      ['notices', '--foo'],
      ['notices', 'show', '--foo'],
    ],
    [['runs'], ['runs']],
    [['constructor'], ['constructor']],
  ])('%j is short for %j', async (short, whole) => {
    const said = async (argv: string[]) => {
      const world = commandWorld(() => {
        throw new EdgeError('status', 403, 'forbidden', 'no');
      });
      return [await runCli(argv, world.deps), world.calls, world.stdout(), world.stderr()];
    };
    expect(await said(short)).toEqual(await said(whole));
  });

  it('a group says in its help what it is short for', async () => {
    const world = commandWorld(nothing);
    expect(await runCli(['ticks', '--help'], world.deps)).toBe(0);
    expect(world.stdout()).toMatch(/ticks is short for conductor ticks list/);
    expect(world.calls).toEqual([]);
  });

  it.each([
    [['pause', '--hold', '--foo'], 'conductor pause --help lists its options'],
    [['tasks', 'list', '--limit', 'x'], 'conductor tasks list --help lists its options'],
    [['tokens', 'creat'], 'conductor tokens --help lists the commands'],
    [['frobnicate'], 'conductor --help lists the commands'],
    [['--lease-ttl-sec', '5'], 'conductor start --help lists its options'],
  ])('%j is called wrongly, and the last line names the help of that very command', async (argv, line) => {
    const world = commandWorld(nothing);
    await runCli(argv, world.deps);
    expect(world.err.at(-1)).toBe(line);
  });

  it.each([
    [['pause', '--foo'], null],
    [['pause', '--roto'], '--root'],
    [['pause', '--interupt'], '--interrupt'],
    [['pause', '--intrupt'], '--interrupt'],
    [['taks'], 'tasks'],
  ])('of %j the suggestion is %s: two letters at most differ, and a third of them', async (argv, word) => {
    const world = commandWorld(nothing);
    await runCli(argv, world.deps);
    expect(/Did you mean (?:one of )?(.*)\?/.exec(world.stderr())?.[1] ?? null).toBe(word);
  });

  it.each([[['--lease-ttl-sec', '5']], [['--role', 'king']]])('%j without a command runs start', async (argv) => {
    const world = commandWorld(nothing);
    expect(await runCli(argv, world.deps)).toBe(2);
    expect(world.stderr()).toMatch(`conductor: ${argv[0]}: `);
  });

  it('an empty command line runs start', async () => {
    const world = commandWorld(nothing, { env: { BAA_CONDUCTOR_ROLE: 'king' } });
    expect(await runCli([], world.deps)).toBe(2);
    expect(world.stderr()).toMatch('BAA_CONDUCTOR_ROLE: ');
  });

  it('--version prints the version, and stays a setting of start and config', async () => {
    const world = commandWorld(nothing);
    expect(await runCli(['--version'], world.deps)).toBe(0);
    expect(world.stdout()).toBe('1.2.3');
    const config = commandWorld(nothing);
    await runCli(['config', '--version', '9', '--json'], config.deps);
    expect(JSON.parse(config.stdout()).settings.version).toEqual({ value: '9', origin: 'flag' });
  });

  it('a command exits with 3 when the edge cannot be reached, with 1 and the error code when it refuses', async () => {
    const away = commandWorld(() => {
      throw new EdgeError('network', 0, 'network', 'http://edge cannot be reached');
    });
    expect(await runCli(['pause'], away.deps)).toBe(3);
    const refused = commandWorld(() => {
      throw new EdgeError('status', 403, 'forbidden', 'your role may not');
    });
    expect(await runCli(['pause'], refused.deps)).toBe(1);
    expect(refused.stderr()).toMatch('forbidden: your role may not');
  });

  it.each([
    ['one that is called wrongly', ['pause', '--bogus'], 2, { error: 'usage', message: "unknown option '--bogus'" }],
    [
      'one whose edge is away',
      ['pause'],
      3,
      { error: 'unreachable', message: 'http://edge cannot be reached', details: {} },
    ],
    [
      'one that the edge refuses',
      ['jobs', 'retry', 'job_1'],
      1,
      { error: 'conflict', message: 'it is done', details: { status: 'done' } },
    ],
    ['one that cannot be as things are', ['runs', 'patch', 'run_1'], 1, { error: 'refused' }],
  ])('--json prints a failure of %s as one line of JSON', async (_what, argv, code, failure) => {
    const world = commandWorld(({ path }) => {
      if (path.startsWith('/v1/runs/')) return { items: [], next_cursor: null };
      if (path.includes('/jobs/'))
        throw new EdgeError('status', 409, 'conflict', 'it is done', null, { status: 'done' });
      throw new EdgeError('network', 0, 'network', 'http://edge cannot be reached');
    });
    expect(await runCli([...argv, '--json'], world.deps)).toBe(code);
    expect(world.out).toHaveLength(1);
    expect(JSON.parse(world.stdout())).toMatchObject({ ok: false, ...failure });
    expect(world.stderr()).not.toBe('');
  });

  it.each([
    ['the program', ['--help'], 'Usage: conductor [options] [command]'],
    ['the program, asked by -h', ['-h'], 'restore-check'],
    ['a group', ['tokens', '--help'], 'Usage: conductor tokens [options] [command]'],
    ['a command', ['tokens', 'create', '--help'], '--subject <subject>'],
    [
      'a command with an argument',
      ['conversations', 'show', '-h'],
      'conductor conversations show [options] <conversation>',
    ],
    ['a command that is called wrongly', ['jobs', 'show', '--help', '--bogus'], 'Usage: conductor jobs show'],
  ])('the help of %s exits with 0, without colours in a pipe', async (_what, argv, text) => {
    const world = commandWorld(nothing);
    expect(await runCli(argv, world.deps)).toBe(0);
    expect(world.stdout()).toContain(text);
    expect(world.stdout()).not.toContain('\u001b');
    expect(world.stderr()).toBe('');
  });

  it('--json prints one line in a pipe', async () => {
    const world = commandWorld(nothing);
    await runCli(['config', '--json'], world.deps);
    expect(world.out).toHaveLength(1);
    expect(world.out[0]).not.toContain('\n');
  });

  it('a command without the operator’s token exits with 2 and names the file for it', async () => {
    const world = commandWorld(nothing, { env: { BAA_ROOT: '/srv/baa', BAA_CONTROL_API_BASE: 'http://edge' } });
    expect(await runCli(['status'], world.deps)).toBe(2);
    expect(world.stderr()).toMatch('/srv/baa/state/operator.token');
  });
});

describe('config', () => {
  it('config shows each value with its source, and no secret', async () => {
    const world = commandWorld(nothing);
    expect(await runCli(['config', '--json', '--host', 'mini'], world.deps)).toBe(0);
    const { settings } = JSON.parse(world.stdout());
    expect(settings.host).toEqual({ value: 'mini', origin: 'flag' });
    expect(settings.node_id).toEqual({ value: 'mini-standby', origin: 'default' });
    expect(settings.shared_token).toEqual({ value: 'set', origin: 'environment' });
    expect(world.stdout()).not.toMatch(/"node"|"operator"/);
  });
});

describe('checklist', () => {
  it('checklist lists the steps in their order', async () => {
    const world = commandWorld(nothing);
    await runCli(['checklist', '--json'], world.deps);
    expect(JSON.parse(world.stdout()).map((step: { key: string }) => step.key)).toEqual([
      'register-controller',
      'acquire-lease',
      'load-runs',
      'reconcile-runs',
      'start-heartbeat-loop',
      'start-scheduler',
    ]);
  });
});

describe('pause', () => {
  it('pause calls the edge with the operator’s token and prints its summary', async () => {
    const response = { accepted: true, status: 'applied', summary: 'paused', mode: 'paused', version: 3 };
    const world = commandWorld(() => response);
    expect(await runCli(['pause', '--reason', 'lunch', '--interrupt'], world.deps)).toBe(0);
    expect(world.calls).toEqual([
      {
        base: 'http://edge',
        token: 'operator',
        method: 'POST',
        path: '/v1/system/pause',
        body: { reason: 'lunch', interrupt: true },
      },
    ]);
    expect(world.stdout()).toBe('paused');
  });
});

describe('jobs', () => {
  const job = {
    job_id: 'job_1',
    message_id: 'msg_1',
    local_conversation_id: 'lc_1',
    status: 'pending',
    payload: 'Please carry on.',
    payload_kind: 'text',
    payload_text: 'Please carry on.',
    target_snapshot: null,
    plan_id: null,
    batch_id: null,
    attempt_count: 0,
    max_attempts: 3,
    next_attempt_at: 0,
    deadline_at: null,
    last_attempt_at: null,
    last_error: null,
    log_path: null,
    started_at: null,
    finished_at: null,
    created_at: 0,
    updated_at: 0,
  };

  it.each(['retry', 'cancel'])('jobs %s calls the edge and prints the new status', async (name) => {
    const world = commandWorld(() => job);
    expect(await runCli(['jobs', name, 'job_1'], world.deps)).toBe(0);
    expect(world.calls[0]).toMatchObject({ method: 'POST', path: `/v1/renewal/jobs/job_1/${name}`, body: {} });
    expect(world.stdout()).toBe('job_1 is pending');
  });
});

describe('tokens create', () => {
  const made = {
    token_id: 'tok_1',
    role: 'controller',
    subject: 'mini',
    controller_id: 'mini-main',
    created_by: 'op',
    created_at: 0,
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
    token: 'baa_secret',
  };

  it('tokens create prints only the secret on standard output', async () => {
    const world = commandWorld(() => made);
    const argv = ['tokens', 'create', '--role', 'controller', '--subject', 'mini', '--controller-id', 'mini-main'];
    expect(await runCli(argv, world.deps)).toBe(0);
    expect(world.calls[0]?.body).toEqual({ role: 'controller', subject: 'mini', controller_id: 'mini-main' });
    expect(world.stdout()).toBe('baa_secret');
  });

  it('tokens create names the missing option before it calls the edge', async () => {
    const world = commandWorld(() => made);
    expect(await runCli(['tokens', 'create', '--role', 'controller', '--subject', 'mini'], world.deps)).toBe(2);
    expect(world.stderr()).toMatch('--controller-id');
    expect(world.calls).toEqual([]);
  });
});
