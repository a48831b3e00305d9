/** The commands that look at what the edge has, with the filters of its API. */
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const AT = Date.UTC(2026, 10, 26, 9, 30);
const HASH = 'a'.repeat(64);

const message = {
  message_id: 'msg_1',
  ingest_seq: 1,
  local_conversation_id: 'lc_1',
  platform: 'claude',
  remote_conversation_id: 'r',
  assistant_message_id: null,
  controller_id: 'mini',
  client_id: 'firefox-mini',
  role: 'assistant',
  ingest_status: 'executed',
  reply_outcome: 'failed',
  reply_reason: 'tab_closed',
  observed_at: AT,
  received_at: AT,
};
const browser = {
  client_id: 'firefox-mini',
  controller_id: 'mini',
  connected: true,
  platforms: [{ platform: 'claude', login: 'lost', fingerprint: null, hooks: [], stopped_reason: 'signed_out' }],
  updated_at: AT,
};
const node = {
  controller_id: 'mini',
  host: 'mini',
  role: 'standby',
  priority: 50,
  status: 'standby',
  version: '1',
  metadata: {},
  started_at: AT,
  last_heartbeat_at: AT,
  created_at: AT,
  presence: { connected: true, contact_age_ms: 5 },
  live_runs: [],
  clients: [browser],
};
const write = {
  seq: 7,
  at: AT,
  actor: 'ops',
  role: 'ops_admin',
  action: 'POST /v1/tokens',
  subject_id: 'tok_1',
  request_id: 'req_1',
};
const tick = {
  tick_seq: 3,
  batch_id: 'b1',
  trigger: 'cron',
  decision: 'completed_with_failures',
  started_at: AT,
  finished_at: AT + 40,
  entries: [
    {
      ts: '',
      batch_id: 'b1',
      runner: 'renewals',
      stage: 'runner_failed',
      result: 'failed',
      duration_ms: 1,
      error: 'no node',
      trigger: 'cron',
    },
  ],
};
const page = (item: unknown) => ({ items: [item], next_cursor: null });
const browsersPage = { clients: [browser], next_cursor: 'c2', policy: { defaults: { stale_lease: 1 }, targets: [] } };

describe('lists of the edge', () => {
  it.each<[string, string[], string, unknown, RegExp]>([
    [
      'messages',
      ['messages', 'list', '--conversation', 'lc_1', '--status', 'executed', '--limit', '5'],
      '/v1/messages?local_conversation_id=lc_1&ingest_status=executed&limit=5',
      page(message),
      /^msg_1 +lc_1 +mini +executed +failed: tab_closed +2026-11-26 /m,
    ],
    [
      'nodes',
      ['nodes', 'list', '--status', 'standby'],
      '/v1/controllers?status=standby',
      page(node),
      /^mini +mini +standby +yes +1 +0 +1 +2026-11-26 /m,
    ],
    [
      'browsers',
      ['browsers', 'list', '--platform', 'claude', '--status', 'lost'],
      '/v1/browser?platform=claude&status=lost',
      browsersPage,
      /^firefox-mini +mini +yes +claude:lost +claude: signed_out +2026-11-26 .*$/m,
    ],
    [
      'the audit',
      ['audit', 'list', '--actor', 'ops', '--action', 'POST /v1/tokens', '--subject', 'tok_1', '--request', 'req_1'],
      '/v1/audit?actor=ops&action=POST+%2Fv1%2Ftokens&subject_id=tok_1&request_id=req_1',
      page(write),
      /^7 +2026-11-26 .* ops +ops_admin +POST \/v1\/tokens +tok_1 +req_1$/m,
    ],
    [
      'what people did',
      ['audit', 'people', '--after', '6', '--limit', '1'],
      '/v1/audit/people?after=6&limit=1',
      { items: [{ ...write, prev_hash: HASH, hash: HASH }], next_after: 7, heads: [] },
      /^7 +2026-11-26 .* ops +POST \/v1\/tokens +tok_1 +a{64}$/m,
    ],
    [
      'ticks',
      ['ticks', 'list', '--decision', 'completed_with_failures', '--trigger', 'cron', '--batch', 'b1', '--after', '2'],
      '/v1/timed-jobs/ticks?decision=completed_with_failures&trigger=cron&batch_id=b1&after=2',
      page(tick),
      /^3 +b1 +cron +completed_with_failures +2026-11-26 .* 40 +renewals: no node$/m,
    ],
    [
      'terms',
      ['leader', 'terms'],
      '/v1/leader/terms',
      page({ term: 4, holder_id: 'mini', holder_host: 'mini', acquired_at: AT }),
      /^4 +mini +mini +2026-11-26 /m,
    ],
  ])('%s are listed by what the options select', async (_what, argv, path, response, shown) => {
    const world = commandWorld(() => response);
    expect(await runCli(argv, world.deps)).toBe(0);
    expect(world.calls.map((call) => `${call.method} ${call.path}`)).toEqual([`GET ${path}`]);
    expect(world.stdout()).toMatch(shown);
    const json = commandWorld(() => response);
    expect(await runCli([...argv, '--json'], json.deps)).toBe(0);
    expect(JSON.parse(json.stdout())).toMatchObject(response as object);
  });

  it.each([
    ['browsers list', () => browsersPage, 'more: --cursor c2'],
    [
      'audit people',
      () => ({ items: [{ ...write, prev_hash: HASH, hash: HASH }], next_after: 7, heads: [] }),
      'more: --after 7',
    ],
    ['nodes list', () => ({ ...page(node), next_cursor: 'c3' }), 'more: --cursor c3'],
  ])('%s has its rows on standard output, and how to see more on standard error', async (argv, response, more) => {
    const world = commandWorld(response);
    expect(await runCli(argv.split(' '), world.deps)).toBe(0);
    expect([world.err, world.stdout().includes('more:')]).toEqual([[more], false]);
  });

  it('a status that does not exist is refused with those that do, before the edge is called', async () => {
    const world = commandWorld(() => page(message));
    expect(await runCli(['messages', 'list', '--status', 'held'], world.deps)).toBe(2);
    expect(world.stderr()).toMatch(/Allowed choices are .*awaiting_approval/);
    expect(world.calls).toEqual([]);
  });
});

describe('one object of the edge', () => {
  it('a message is shown with its text, its instructions and what could not be read', async () => {
    const errors = [{ block_index: 0, stage: 'parse', code: 'invalid_json', message: 'a comma is missing', line: 2 }];
    const capture = { source: 'network', other: 'agrees' };
    const detail = { ...message, raw_text: 'first\nsecond', capture, block_errors: errors, instructions: [] };
    const world = commandWorld(() => detail);
    const code = await runCli(['messages', 'show', 'msg_1'], world.deps);
    expect([code, world.stderr()]).toEqual([0, '']);
    expect(world.calls[0]?.path).toBe('/v1/messages/msg_1');
    expect(world.stdout()).toMatch(/^text\n {2}first\n {2}second$/m);
    expect(world.stdout()).toMatch(/^2 +invalid_json +a comma is missing$/m);
  });

  it('a node is shown with its browsers', async () => {
    const world = commandWorld(() => node);
    expect(await runCli(['nodes', 'show', 'mini'], world.deps)).toBe(0);
    expect(world.calls[0]?.path).toBe('/v1/controllers/mini');
    expect(world.stdout()).toMatch(/^firefox-mini +yes +claude:lost +2026-11-26 /m);
  });

  it('a browser is looked for on every page, and its stop is shown', async () => {
    const other = { ...browsersPage, clients: [{ ...browser, client_id: 'other' }] };
    const pages = [other, { ...browsersPage, next_cursor: null }];
    const world = commandWorld(() => pages.shift());
    expect(await runCli(['browsers', 'show', 'firefox-mini'], world.deps)).toBe(0);
    expect(world.calls.map(({ path }) => path)).toEqual(['/v1/browser?limit=200', '/v1/browser?limit=200&cursor=c2']);
    expect(world.stdout()).toMatch(/^claude +claude:lost +0 +signed_out$/m);
  });

  it('a browser that the edge does not know is answered with those that it knows', async () => {
    const world = commandWorld(() => ({ ...browsersPage, next_cursor: null }));
    expect(await runCli(['browsers', 'show', 'firefox'], world.deps)).toBe(1);
    expect(world.stderr()).toMatch('there is no browser firefox; known are: firefox-mini');
  });
});

describe('changes of browsers, and a tick', () => {
  it.each<[string, string[], string, unknown, unknown, string]>([
    [
      'a stopped browser is resumed',
      ['browsers', 'resume', 'firefox-mini', '--platform', 'claude'],
      '/v1/browser/clients/firefox-mini/resume',
      { platform: 'claude' },
      { client_id: 'firefox-mini', resumed: ['claude'], command_id: 'cmd_1' },
      'firefox-mini is resumed on claude',
    ],
    [
      'a browser that was not stopped is left as it is',
      ['browsers', 'resume', 'firefox-mini'],
      '/v1/browser/clients/firefox-mini/resume',
      {},
      { client_id: 'firefox-mini', resumed: [], command_id: 'cmd_1' },
      'firefox-mini was not stopped',
    ],
    [
      'a browser is moved',
      ['browsers', 'move', 'firefox-mini', '--to', 'studio'],
      '/v1/browser/clients/firefox-mini/move',
      { controller_id: 'studio' },
      { ...browser, controller_id: 'studio' },
      'firefox-mini belongs to studio',
    ],
    [
      'a tick is run',
      ['ticks', 'run'],
      '/v1/timed-jobs/tick',
      {},
      { batch_id: 'b2', decision: 'scheduled' },
      'tick b2: scheduled',
    ],
  ])('%s', async (_what, argv, path, body, response, shown) => {
    const world = commandWorld(() => response);
    expect(await runCli(argv, world.deps)).toBe(0);
    expect(world.calls).toMatchObject([{ method: 'POST', path, body }]);
    expect(world.stdout()).toBe(shown);
  });

  it('a tick with a failed job is no success', async () => {
    const world = commandWorld(() => ({ batch_id: 'b2', decision: 'completed_with_failures' }));
    expect(await runCli(['ticks', 'run'], world.deps)).toBe(1);
  });
});
