import { beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../../schema/contracts/clients.ts';
import type { LeaderAcquireResponse, LeaderTerm, LeaseView } from '../../../schema/contracts/leader.ts';
import type { NodeView } from '../../../schema/contracts/nodes.ts';
import type { Role } from '../../../schema/contracts/tokens.ts';
import { EVENTS, NODE, rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
let tokens: Record<Role, string>;
let other: string;
beforeAll(async () => {
  tokens = await edge.tokens();
  other = (await edge.mint('controller', { controller_id: 'mac-main' })).token;
});

const acquire = (controller_id: string, token: string) =>
  edge.data<LeaderAcquireResponse>('POST', '/v1/leader/acquire', {
    token,
    body: { controller_id, host: controller_id, ttl_sec: 30 },
  });
const auditOf = (action: string) =>
  rowsOf<{ actor: string; subject_id: string }>('SELECT * FROM audit WHERE action = ?', action);

describe('the lease over HTTP', () => {
  it('a lease is granted, refused with the holder named, renewed, released and granted again', async () => {
    const mine = await acquire(NODE, tokens.controller);
    expect(mine).toMatchObject({ is_leader: true, operation: 'acquire', holder_id: NODE, yield_to: null });
    const refused = await acquire('mac-main', other);
    expect(refused).toMatchObject({ is_leader: false, operation: 'acquire', holder_id: NODE, term: mine.term });
    expect(refused.expires_in_ms).toBeGreaterThan(0);
    expect(await acquire(NODE, tokens.controller)).toMatchObject({ operation: 'renew', term: mine.term });
    const release = await edge.data<{ released: boolean; lease: LeaseView }>('POST', '/v1/leader/release', {
      token: tokens.controller,
      body: { controller_id: NODE, term: mine.term },
    });
    expect(release).toMatchObject({ released: true, lease: { holder_id: null } });
    expect(await acquire('mac-main', other)).toMatchObject({ is_leader: true, term: mine.term + 1 });
    const terms = await edge.data<{ items: LeaderTerm[] }>('GET', '/v1/leader/terms', { token: tokens.readonly });
    expect(terms.items.map((term) => term.holder_id)).toEqual(['mac-main', NODE]);
  });

  it('a release with an old term changes nothing', async () => {
    const { term } = await edge.data<LeaseView>('GET', '/v1/leader');
    const body = { controller_id: 'mac-main', term: term - 1 };
    expect(await edge.data('POST', '/v1/leader/release', { token: other, body })).toMatchObject({ released: false });
    expect(await edge.data('GET', '/v1/leader')).toMatchObject({ holder_id: 'mac-main', term });
  });

  it('one of many concurrent requests gets the lease', async () => {
    const { term, holder_id } = await edge.data<LeaseView>('GET', '/v1/leader');
    if (holder_id !== null) {
      const token = holder_id === NODE ? tokens.controller : other;
      await edge.data('POST', '/v1/leader/release', { token, body: { controller_id: holder_id, term } });
    }
    const names = Array.from({ length: 24 }, (_, n) => `rival-${n}`);
    const rivals = await Promise.all(
      names.map(async (id) => ({ id, token: (await edge.mint('controller', { controller_id: id })).token })),
    );
    const responses = await Promise.all([...rivals, ...rivals].map(({ id, token }) => acquire(id, token)));
    const granted = responses.filter(({ operation, is_leader }) => is_leader && operation === 'acquire');
    expect(granted).toHaveLength(1);
    const [won] = granted;
    expect(won?.term).toBe(term + 1);
    for (const response of responses) expect(response).toMatchObject({ holder_id: won?.holder_id, term: won?.term });
    expect(await rowsOf('SELECT holder_id FROM leader_terms WHERE term = ?', term + 1)).toEqual([
      { holder_id: won?.holder_id },
    ]);
    const winner = rivals.find(({ id }) => id === won?.holder_id);
    const body = { controller_id: won?.holder_id, term: won?.term };
    await edge.data('POST', '/v1/leader/release', { token: winner?.token ?? '', body });
  });

  it('a change of the lease is audited, a refusal is not', async () => {
    await acquire('mac-main', other);
    const before = (await auditOf('POST /v1/leader/acquire')).length;
    await acquire(NODE, tokens.controller);
    expect(await auditOf('POST /v1/leader/acquire')).toHaveLength(before);
    await acquire('mac-main', other);
    expect((await auditOf('POST /v1/leader/acquire')).at(-1)).toMatchObject({ subject_id: 'mac-main' });
  });
});

describe('a node', () => {
  const heartbeat = (status = 'standby') =>
    edge.data('POST', '/v1/controllers/heartbeat', {
      token: tokens.controller,
      body: { controller_id: NODE, host: 'mini', role: 'primary', priority: 100, status, version: '1.0.0' },
    });

  it('a node exists from its first heartbeat, whose time it keeps', async () => {
    expect(await edge.error('GET', `/v1/controllers/${NODE}`)).toMatchObject({
      status: 404,
      error: 'controller_not_found',
    });
    await heartbeat();
    const first = edge.now;
    edge.now += 5_000;
    await heartbeat();
    expect(await edge.data<NodeView>('GET', `/v1/controllers/${NODE}`)).toMatchObject({
      host: 'mini',
      created_at: first,
      last_heartbeat_at: edge.now,
      presence: { connected: false },
      clients: [],
    });
  });

  it('a heartbeat makes an event only when it changes something', async () => {
    const countEvents = async () => (await rowsOf(`SELECT 1 FROM ${EVENTS} WHERE topic = 'nodes'`)).length;
    const before = await countEvents();
    await heartbeat();
    expect(await countEvents()).toBe(before);
    await heartbeat('degraded');
    expect(await countEvents()).toBe(before + 1);
  });

  it('a heartbeat that carries a time is refused', async () => {
    for (const field of ['now', 'heartbeat_at']) {
      const response = await edge.error('POST', '/v1/controllers/heartbeat', {
        token: tokens.controller,
        body: { controller_id: NODE, host: 'mini', role: 'primary', priority: 1, status: 'leader', [field]: 1 },
      });
      expect(response).toMatchObject({ error: 'invalid_request', details: { field } });
    }
  });
});

describe('the channel', () => {
  const upgrade = (token: string | null, path = `/v1/controllers/${NODE}/channel`) =>
    edge.fetch(path, {
      headers: { upgrade: 'websocket', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    });

  it('the channel opens with the token of its node, which is then connected', async () => {
    const response = await upgrade(tokens.controller);
    expect(response.status).toBe(101);
    expect(response.headers.get('x-request-id')).toBeTruthy();
    const socket = response.webSocket;
    if (!socket) throw new Error('no socket');
    socket.accept();
    expect(await edge.data<NodeView>('GET', `/v1/controllers/${NODE}`)).toMatchObject({
      presence: { connected: true },
    });
    socket.close(1000, 'done');
  });

  it('the channel carries a change of mode', async () => {
    const { webSocket: socket } = await upgrade(tokens.controller);
    if (!socket) throw new Error('no socket');
    const changed = new Promise<{ type: string; mode: string; mode_version: number }>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        const frame = JSON.parse(String(data));
        if (frame.type === 'mode.changed') resolve(frame);
      });
    });
    socket.accept();
    const { version } = await edge.data<{ version: number }>('POST', '/v1/system/pause');
    expect(await changed).toEqual({ type: 'mode.changed', mode: 'paused', mode_version: version, hold: false });
    await edge.data('POST', '/v1/system/resume');
    socket.close(1000, 'done');
  });

  it('the channel refuses other callers and a token in the query', async () => {
    expect((await upgrade(null)).status).toBe(401);
    expect((await upgrade(other)).status).toBe(403);
    expect((await upgrade(tokens.ops_admin)).status).toBe(403);
    expect((await upgrade(null, `/v1/controllers/${NODE}/channel?token=${tokens.controller}`)).status).toBe(401);
  });

  it('the channel requires an upgrade', async () => {
    const response = await edge.error('GET', `/v1/controllers/${NODE}/channel`, { token: tokens.controller });
    expect(response).toMatchObject({ status: 400, error: 'invalid_request', details: { field: 'upgrade' } });
  });
});

describe('a browser', () => {
  const tab = (remote: string, observed_at: number) => ({
    platform: 'claude',
    remote_conversation_id: remote,
    page_url: `https://claude.ai/chat/${remote}`,
    page_title: 'A chat',
    tab_id: 17,
    shell_page: false,
    observed_at,
  });
  const platform = { platform: 'claude', login: 'fresh', fingerprint: null, hooks: [], stopped_reason: null };
  const put = (tabs: unknown[], connected = true) =>
    edge.data<Client>('PUT', `/v1/controllers/${NODE}/clients/firefox-1`, {
      token: tokens.controller,
      body: { connected, platforms: [platform], tabs },
    });

  it('a browser is stored as reported, and its tabs become conversations and links', async () => {
    expect(await put([tab('chat-1', 10), tab('chat-2', 10)])).toMatchObject({
      client_id: 'firefox-1',
      controller_id: NODE,
    });
    const { clients } = await edge.data<NodeView>('GET', `/v1/controllers/${NODE}`);
    expect(clients).toMatchObject([{ client_id: 'firefox-1', connected: true, platforms: [platform] }]);
    const conversations = await rowsOf(
      'SELECT automation_status FROM local_conversations ORDER BY remote_conversation_id',
    );
    expect(conversations).toEqual([{ automation_status: 'manual' }, { automation_status: 'manual' }]);
    expect(await rowsOf('SELECT target_id FROM conversation_links WHERE is_active = 1')).toHaveLength(2);
  });

  it('a report of 500 long tabs is stored, and one over the body limit is refused', async () => {
    const long = (n: number, length: number) => `https://claude.ai/chat/wide-${n}/`.padEnd(length, '"');
    const wide = Array.from({ length: 500 }, (_, n) => ({ ...tab(`wide-${n}`, 10), page_url: long(n, 1_200) }));
    await put(wide);
    expect(await rowsOf("SELECT 1 FROM conversation_links WHERE remote_conversation_id LIKE 'wide-%'")).toHaveLength(
      500,
    );
    const reply = await edge.call('PUT', `/v1/controllers/${NODE}/clients/firefox-1`, {
      token: tokens.controller,
      body: {
        connected: true,
        platforms: [platform],
        tabs: wide.map((one, n) => ({ ...one, page_url: long(n, 2_048) })),
      },
    });
    expect(reply.status).toBe(413);
  });

  it('a known tab makes no second conversation, and a disconnected browser is stored as such', async () => {
    await put([tab('chat-1', 20)], false);
    expect(await rowsOf("SELECT 1 FROM local_conversations WHERE remote_conversation_id LIKE 'chat-%'")).toHaveLength(
      2,
    );
    expect(await rowsOf("SELECT connected FROM clients WHERE client_id = 'firefox-1'")).toEqual([{ connected: 0 }]);
    expect((await auditOf('PUT /v1/controllers/:controller_id/clients/:client_id')).length).toBe(3);
  });
});
