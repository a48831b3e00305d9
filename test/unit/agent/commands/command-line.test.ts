import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const nothing = () => ({});

describe('the command line', () => {
  it.each([
    [['config', '--bogus'], /--bogus/],
    [['pause', '--reson', 'x'], /--reson/],
    [['frobnicate'], /frobnicate/],
    [['tokens'], /command/i],
    [['jobs', 'show'], /<job>/],
    [['config', 'extra'], /extra/],
    [['tokens', 'create', '--role', 'readonly'], /--subject/],
    [['config', '--lease-ttl-sec', '5'], /--lease-ttl-sec/],
  ])('%j fails with 2 and says why', async (argv, said) => {
    const world = commandWorld(nothing);
    expect(await runCli(argv, world.deps)).toBe(2);
    expect(world.stderr()).toMatch(said);
    expect(world.calls).toEqual([]);
  });

  it('without a verb is start', async () => {
    const world = commandWorld(nothing);
    expect(await runCli(['--lease-ttl-sec', '5'], world.deps)).toBe(2);
    expect(world.stderr()).toMatch(/--lease-ttl-sec/);
  });

  it('exits 3 when the edge cannot be reached, 1 when it refuses, and names the code', async () => {
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

  it('helps without colours where nobody looks', async () => {
    const world = commandWorld(nothing);
    expect(await runCli(['tokens', 'create', '--help'], world.deps)).toBe(0);
    expect(world.stdout()).toContain('--subject');
    expect(world.stdout()).not.toContain('\u001b');
  });

  it('says in its help what a command takes and how it is called in full', async () => {
    const world = commandWorld(nothing);
    await runCli(['conversations', 'show', '--help'], world.deps);
    expect(world.stdout()).toContain('conductor conversations show [OPTIONS] <CONVERSATION>');
  });

  it('gives a program one line of JSON', async () => {
    const world = commandWorld(nothing);
    await runCli(['config', '--json'], world.deps);
    expect(world.out).toHaveLength(1);
    expect(world.out[0]).not.toContain('\n');
  });

  it('needs the operator and says where the token belongs', async () => {
    const world = commandWorld(nothing, { env: { BAA_ROOT: '/srv/baa' } });
    expect(await runCli(['status'], world.deps)).toBe(2);
    expect(world.stderr()).toMatch('/srv/baa/state/operator.token');
  });
});

describe('config', () => {
  it('shows each value and where it came from, and no secret', async () => {
    const world = commandWorld(nothing);
    expect(await runCli(['config', '--json', '--host', 'mini'], world.deps)).toBe(0);
    const { settings } = JSON.parse(world.stdout());
    expect(settings.host).toEqual({ value: 'mini', origin: 'flag' });
    expect(settings.node_id).toEqual({ value: 'mini-main', origin: 'default' });
    expect(settings.shared_token).toEqual({ value: 'set', origin: 'environment' });
    expect(world.stdout()).not.toMatch(/"node"|"operator"/);
  });
});

describe('checklist', () => {
  it('lists the steps in their order', async () => {
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
  it('asks the edge as the operator and prints what it says', async () => {
    const answer = { accepted: true, status: 'applied', summary: 'paused', mode: 'paused', version: 3 };
    const world = commandWorld(() => answer);
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

describe('conversations', () => {
  const conversation = {
    local_conversation_id: 'lc_1',
    platform: 'chatgpt',
    remote_conversation_id: 'r',
    automation_status: 'auto',
    last_non_paused_automation_status: 'auto',
    pause_reason: null,
    paused_at: null,
    title: 'Plan',
    last_message_id: null,
    last_message_at: null,
    created_at: 0,
    updated_at: 0,
  };

  it('lists with filters, and says how to go on', async () => {
    const world = commandWorld(() => ({ items: [conversation], next_cursor: 'abc' }));
    await runCli(['conversations', 'list', '--status', 'auto', '--limit', '1'], world.deps);
    expect(world.calls[0]?.path).toBe('/v1/renewal/conversations?status=auto&limit=1');
    expect(world.stdout()).toMatch(/lc_1 +chatgpt +auto/);
    expect(world.stdout()).toMatch('--cursor abc');
  });

  it.each(['auto', 'manual', 'paused', 'resume'])('sets %s', async (name) => {
    const world = commandWorld(() => conversation);
    expect(await runCli(['conversations', name, 'lc_1', '--reason', 'why'], world.deps)).toBe(0);
    expect(world.calls[0]).toMatchObject({
      method: 'POST',
      path: `/v1/renewal/conversations/lc_1/${name}`,
      body: { reason: 'why' },
    });
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

  it.each(['retry', 'cancel'])('%s asks the edge and prints what it says', async (name) => {
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

  it('prints the secret alone on standard output', async () => {
    const world = commandWorld(() => made);
    const argv = ['tokens', 'create', '--role', 'controller', '--subject', 'mini', '--controller-id', 'mini-main'];
    expect(await runCli(argv, world.deps)).toBe(0);
    expect(world.calls[0]?.body).toEqual({ role: 'controller', subject: 'mini', controller_id: 'mini-main' });
    expect(world.stdout()).toBe('baa_secret');
  });

  it('says which argument is missing before it asks', async () => {
    const world = commandWorld(() => made);
    expect(await runCli(['tokens', 'create', '--role', 'controller', '--subject', 'mini'], world.deps)).toBe(2);
    expect(world.stderr()).toMatch('--controller-id');
    expect(world.calls).toEqual([]);
  });
});
