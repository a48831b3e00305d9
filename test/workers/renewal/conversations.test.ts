import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Conversation, Link } from '../../../schema/contracts/conversations.ts';
import { openDatabase, runBatch } from '../../../workers/db/open.ts';
import { pendingCommands } from '../../../workers/nodes/command-reads.ts';
import { noteReceipts } from '../../../workers/nodes/commands.ts';
import { EVENTS, rowsOf } from '../support/edge.ts';
import { OTHER_NODE, Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;

const put = async (nodeId: string, clientId: string, ...tabs: Record<string, unknown>[]) => {
  const defaults = { ...renewals.message().link, platform: 'chatgpt', observed_at: edge.now };
  await edge.data('PUT', `/v1/controllers/${nodeId}/clients/${clientId}`, {
    token: await renewals.token(nodeId),
    body: { connected: true, platforms: [], tabs: tabs.map((tab) => ({ ...defaults, ...tab })) },
  });
};
const links = async (remoteId: string) =>
  (await edge.data<{ items: Link[] }>('GET', `/v1/renewal/links?remote_conversation_id=${remoteId}`)).items;
const conversations = async (query: string, token?: string) =>
  (
    await edge.data<{ items: Conversation[] }>('GET', `/v1/renewal/conversations?${query}`, token ? { token } : {})
  ).items.map((one) => one.remote_conversation_id);

describe('a tab that a browser reports', () => {
  it('becomes a manual conversation and a link, unless it is a shell page', async () => {
    const seen = { remote_conversation_id: 'seen', page_url: 'https://chatgpt.com/c/seen?x=1' };
    await put('mini-main', 'ff-1', seen, { remote_conversation_id: null, shell_page: true });
    const [link] = await links('seen');
    expect(link).toMatchObject({
      route_path: '/c/seen',
      route_pattern: '/c/:conversation_id',
      route_params: { conversation_id: 'seen' },
      target_kind: 'browser.proxy_delivery',
      target_id: 'tab:17',
      is_active: true,
    });
    const [row] = await rowsOf(
      'SELECT automation_status FROM local_conversations WHERE remote_conversation_id = ?',
      'seen',
    );
    expect(row).toEqual({ automation_status: 'manual' });
  });

  it('replaces an older observation of the same browser, never a newer one', async () => {
    const at = (observed_at: number, tab_id: number) =>
      put('mini-main', 'ff-1', { remote_conversation_id: 'moved', observed_at, tab_id });
    await at(edge.now - 20, 2);
    await at(edge.now - 10, 3);
    await at(edge.now - 15, 4);
    expect((await links('moved')).map((link) => link.target_id)).toEqual(['tab:3']);
    await put(OTHER_NODE, 'ff-2', { remote_conversation_id: 'moved', tab_id: 9 });
    expect((await links('moved')).map((link) => link.target_id)).toEqual(['tab:9', 'tab:3']);
  });

  it('can be replaced although the clock of its browser runs ahead', async () => {
    await put('mini-main', 'ff-1', { remote_conversation_id: 'ahead', observed_at: edge.now + 1e9, tab_id: 5 });
    edge.now += 1;
    await put('mini-main', 'ff-1', { remote_conversation_id: 'ahead', observed_at: edge.now, tab_id: 6 });
    expect((await links('ahead')).map((link) => link.target_id)).toEqual(['tab:6']);
  });
});

describe('conversations', () => {
  it('are listed by platform, status, browser and remote id', async () => {
    await put('mini-main', 'ff-3', { remote_conversation_id: 'listed', platform: 'claude' });
    expect(await conversations('platform=claude')).toEqual(['listed']);
    expect(await conversations('client_id=ff-3')).toEqual(['listed']);
    expect(await conversations('remote_conversation_id=listed&status=manual')).toEqual(['listed']);
    expect(await conversations('remote_conversation_id=listed&status=auto')).toEqual([]);
  });

  it('are listed and shown to a node only when its browsers have them open', async () => {
    await put('mini-main', 'ff-1', { remote_conversation_id: 'mine' });
    await put(OTHER_NODE, 'ff-2', { remote_conversation_id: 'theirs' });
    const shown = await conversations('limit=200', await renewals.token());
    expect(shown).toContain('mine');
    expect(shown).not.toContain('theirs');
    const [theirs] = await rowsOf<{ id: string }>(
      "SELECT local_conversation_id AS id FROM local_conversations WHERE remote_conversation_id = 'theirs'",
    );
    const path = `/v1/renewal/conversations/${theirs?.id}`;
    expect((await edge.error('GET', path, { token: await renewals.token() })).error).toBe('not_owner');
    const detail = await edge.data<{ active_link: Link }>('GET', path);
    expect(detail.active_link.client_id).toBe('ff-2');
  });

  it('go from manual to auto to paused, and resume restores the status before the pause', async () => {
    const { local_conversation_id: id } = await renewals.settled('manual');
    const steps = ['auto', 'paused', 'paused', 'resume', 'manual'] as const;
    const seen = [];
    for (const step of steps) {
      const path = `/v1/renewal/conversations/${id}/${step}`;
      seen.push((await edge.data<Conversation>('POST', path, { body: {} })).automation_status);
    }
    expect(seen).toEqual(['auto', 'paused', 'paused', 'auto', 'manual']);
    const changes = await rowsOf(`SELECT 1 FROM ${EVENTS} WHERE type = 'automation_changed' AND subject_id = ?`, id);
    expect(changes).toHaveLength(4);
  });
});

describe('commands', () => {
  it('are pending until they are received, refused or expired', async () => {
    await renewals.lead();
    const { job, command } = await renewals.sent();
    const db = openDatabase(env.DB);
    const waiting = () => pendingCommands(db, 'mini-main', edge.now);
    expect((await waiting()).map((one) => one.command_id)).toContain(command.command_id);
    const at = { env, db, now: edge.now };
    const receipts = [{ command_id: command.command_id, accepted: true }];
    await runBatch(db, [noteReceipts(at, OTHER_NODE, receipts)]);
    expect(await waiting()).toHaveLength(1);
    await runBatch(db, [noteReceipts(at, 'mini-main', receipts)]);
    expect(await waiting()).toEqual([]);
    edge.now += 30_000;
    await renewals.tick();
    const status = () => rowsOf('SELECT status FROM commands WHERE command_id = ?', command.command_id);
    expect(await status()).toEqual([{ status: 'expired' }]);
    expect((await renewals.respond(command, 'delivered')).status).toBe('done');
    expect((await renewals.jobOf(job.message_id)).status).toBe('done');
  });

  it('can be read over HTTP after the last known one', async () => {
    const { command } = await renewals.sent();
    const path = '/v1/controllers/mini-main/commands';
    const token = await renewals.token();
    const all = await edge.data<{ items: { command_id: string }[] }>('GET', path, { token });
    expect(all.items.at(-1)?.command_id).toBe(command.command_id);
    const after = await edge.data<{ items: unknown[] }>('GET', `${path}?after=${command.command_id}`, { token });
    expect(after.items).toEqual([]);
  });
});
