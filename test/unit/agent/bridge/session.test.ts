import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { BridgeFixture, CLIENT_TOKEN, clientState, conversation, finalMessage } from './fixture.ts';

describe('final messages', () => {
  it('are acknowledged once they are on disk, with their age', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    agent.onFinalMessage = (frame, ageMs) => {
      // The message and the mark that it was seen are one transaction.
      expect(agent.store.db.isTransaction).toBe(true);
      agent.ingested.push({ frame, ageMs });
    };
    client.send(finalMessage({ observed_at: agent.clock.now() - 1_500 }));
    expect(await client.next('message_ack')).toEqual({ type: 'message_ack', request_id: 'fm-1' });
    expect(agent.ingested).toMatchObject([{ frame: { raw_text: 'hello' }, ageMs: 1_500 }]);
  });

  it('are not acknowledged when they could not be stored, and are taken when they come again', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    const takes = agent.onFinalMessage;
    agent.onFinalMessage = () => {
      throw new Error('the disk is full');
    };
    client.send(finalMessage());
    expect(await client.next('error')).toMatchObject({ re: 'fm-1', code: 'internal' });
    expect(client.kept('message_ack')).toEqual([]);
    agent.onFinalMessage = takes;
    client.send(finalMessage());
    await client.next('message_ack');
    expect(agent.ingested).toHaveLength(1);
  });

  it('and the mark that they were seen are stored together or not at all', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    agent.onFinalMessage = () => {
      const row = { stream: 's', kind: 'ingest', method: 'POST', path: '/v1/messages', body: {}, context: {} } as const;
      agent.store.outbox.append(row);
    };
    const refuse =
      "CREATE TRIGGER full BEFORE INSERT ON bridge_seen BEGIN SELECT raise(ABORT, 'the disk is full'); END";
    agent.store.db.exec(refuse);
    client.send(finalMessage());
    await client.next('error');
    expect(agent.told('ingest')).toEqual([]);
    agent.store.db.exec('DROP TRIGGER full');
    client.send(finalMessage());
    await client.next('message_ack');
    expect(agent.told('ingest')).toHaveLength(1);
  });

  it('are acknowledged again and stored no second time when repeated, also on another connection', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    client.send(finalMessage());
    client.send(finalMessage());
    await client.next('message_ack');
    await client.next('message_ack');
    const again = await agent.browser('firefox-1', 'paired already');
    again.send(finalMessage());
    await again.next('message_ack');
    expect(agent.ingested).toHaveLength(1);
  });

  it('of another client are refused', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    client.send(finalMessage({ client_id: 'firefox-2' }));
    expect(await client.next('error')).toMatchObject({ re: 'fm-1', code: 'not_owner' });
    expect(agent.ingested).toEqual([]);
  });
});

describe('frames that are not understood', () => {
  it.each([
    ['an unknown type', { type: 'browser.from_the_future', request_id: 'r1' }, 'r1'],
    ['a known type with a wrong field', { ...finalMessage(), tab_id: -1 }, 'fm-1'],
    [
      'a second hello',
      { type: 'hello', client_id: 'firefox-1', browser: '', extension_version: '', platforms: [], token: '' },
      null,
    ],
  ])('are answered with error and break nothing: %s', async (_what, frame, re) => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    client.sendText(JSON.stringify(frame));
    expect(await client.next('error')).toMatchObject({ re, code: 'invalid_request' });
    client.send(finalMessage());
    await client.next('message_ack');
  });

  it('close the connection with 4400 when they are not JSON', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    client.sendText('not JSON');
    expect(await client.closed).toMatchObject({ code: 4400 });
  });
});

describe('client state', () => {
  it('is told to the edge when it differs, and only then', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    client.send(clientState('s1', ['c1'], 1));
    client.send(clientState('s2', ['c1'], 2));
    client.send(clientState('s3', ['c1', 'c2'], 3));
    for (const id of ['s1', 's2', 's3']) expect(await client.next('message_ack')).toMatchObject({ request_id: id });
    const told = agent.told('client_put').slice(1);
    expect(told).toMatchObject([
      {
        method: 'PUT',
        path: '/v1/controllers/node-a/clients/firefox-1',
        body: {
          connected: true,
          platforms: [{ platform: 'chatgpt', login: 'fresh', fingerprint: 'f1', hooks: [], stopped_reason: null }],
          tabs: [{ remote_conversation_id: 'c1', tab_id: 1, observed_at: 1 }],
        },
      },
      { body: { tabs: [{ remote_conversation_id: 'c1' }, { remote_conversation_id: 'c2' }] } },
    ]);
  });
});

describe('page control', () => {
  it('pauses the system under the browser’s own token and answers what the edge confirmed', async () => {
    const agent = await BridgeFixture.start();
    const confirmed = { accepted: true, status: 'applied', summary: 'paused', mode: 'paused', version: 3 };
    agent.edge = () => confirmed;
    const client = await agent.browser();
    client.send({ type: 'page_control', request_id: 'p1', action: 'system.pause', reason: 'lunch' });
    expect(await client.next('page_control_result')).toEqual({
      type: 'page_control_result',
      request_id: 'p1',
      ok: true,
      data: confirmed,
    });
    expect(agent.calls).toEqual([{ request: 'POST /v1/system/pause', body: { reason: 'lunch' }, token: CLIENT_TOKEN }]);
  });

  it('finds the conversation at the edge and sets its mode', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = ({ method, path }) => {
      if (method === 'POST') return conversation({ automation_status: 'manual' });
      return path.includes('?') ? { items: [conversation()], next_cursor: null } : conversation();
    };
    const client = await agent.browser();
    const action = { type: 'page_control', request_id: 'p1', action: 'conversation.mode', mode: 'manual' } as const;
    client.send({ ...action, platform: 'chatgpt', conversation_id: 'c1' });
    expect(await client.next('page_control_result')).toMatchObject({ ok: true, data: { automation_status: 'manual' } });
    expect(agent.calls.slice(0, 2)).toEqual([
      {
        request: 'GET /v1/renewal/conversations?platform=chatgpt&remote_conversation_id=c1',
        body: undefined,
        token: undefined,
      },
      { request: 'POST /v1/renewal/conversations/lc_1/manual', body: {}, token: CLIENT_TOKEN },
    ]);
  });

  it.each([
    ['the edge refuses', { action: 'system.resume' } as const, 'forbidden'],
    ['a field is missing', { action: 'conversation.resume', platform: 'chatgpt' } as const, 'invalid_request'],
  ])('says why not when %s', async (_when, frame, code) => {
    const agent = await BridgeFixture.start();
    agent.edge = () => {
      throw new EdgeError('status', 403, 'forbidden', 'not yours');
    };
    const client = await agent.browser();
    client.send({ type: 'page_control', request_id: 'p1', ...frame });
    expect(await client.next('page_control_result')).toMatchObject({ ok: false, error: { code } });
  });
});

describe('snapshots', () => {
  it('show the mode and the conversations open in that browser, at every change', async () => {
    const agent = await BridgeFixture.start();
    const known = [conversation(), conversation({ local_conversation_id: 'lc_2', remote_conversation_id: 'c2' })];
    agent.edge = ({ path }) => ({
      items: known.filter((one) => path.endsWith(`=${one.remote_conversation_id}`)),
      next_cursor: null,
    });
    const client = await agent.browser();
    client.send(clientState('s1', ['c1']));
    const first = await client.next('snapshot', ({ snapshot }) => snapshot.conversations.length > 0);
    expect(first.snapshot.conversations).toEqual([
      {
        platform: 'chatgpt',
        conversation_id: 'c1',
        local_conversation_id: 'lc_1',
        automation_status: 'auto',
        pause_reason: null,
      },
    ]);

    agent.system.observe('paused', 7);
    const paused = await client.next('snapshot', ({ snapshot }) => snapshot.system.version === 7);
    expect(paused.snapshot.system).toEqual({ mode: 'paused', version: 7 });

    agent.edge = () => conversation({ automation_status: 'paused', pause_reason: 'user_pause' });
    await agent.bridge.conversationsChanged(['lc_1']);
    const changed = await client.next(
      'snapshot',
      ({ snapshot }) => snapshot.conversations[0]?.automation_status === 'paused',
    );
    expect(changed.snapshot.conversations[0]?.pause_reason).toBe('user_pause');
  });

  it('are not sent when nothing shown has changed', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    agent.bridge.journalChanged();
    agent.system.observe('draining', 8);
    await client.next('snapshot', ({ snapshot }) => snapshot.system.version === 8);
    expect(client.kept('snapshot').length).toBeLessThanOrEqual(1);
    agent.bridge.journalChanged();
    client.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'after' });
    await client.next('message_ack');
    expect(client.kept('snapshot')).toEqual([]);
  });

  it('show the newest of the journal, bounded, from what is on disk', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    const add = agent.store.db.prepare(
      `INSERT INTO messages (message_id, client_id, platform, remote_conversation_id, local_conversation_id, ingest_status,
         target, block_errors, state, created_at)
       VALUES (?, 'firefox-1', 'chatgpt', 'c1', 'lc_1', 'accepted', '{}', '[]', 'done', ?)`,
    );
    for (const n of [1, 2, 3]) add.run(`msg_${n}`, n);
    agent.bridge.journalChanged();
    const { snapshot } = await client.next('snapshot');
    const { last_ingest, recent_ingests } = snapshot.browser.instruction_ingest;
    expect(recent_ingests.map((entry) => entry.message_id)).toEqual(['msg_3', 'msg_2']);
    expect(last_ingest).toMatchObject({ message_id: 'msg_3', conversation_id: 'c1', ingest_status: 'accepted' });
  });
});

describe('what another browser did', () => {
  it('is not shown', async () => {
    const agent = await BridgeFixture.start();
    const mine = await agent.browser('firefox-1');
    const add = agent.store.db.prepare(
      `INSERT INTO messages (message_id, client_id, platform, remote_conversation_id, local_conversation_id,
         ingest_status, target, block_errors, state, created_at)
       VALUES (?, ?, 'chatgpt', 'c1', 'lc_1', 'accepted', '{}', '[]', 'done', 1)`,
    );
    const run = agent.store.db.prepare(
      `INSERT INTO executions (instruction_id, message_id, idx, name, params, status, started_at, finished_at)
       VALUES (?, ?, 0, 'conductor::exec', '{}', 'succeeded', 1, 2)`,
    );
    add.run('msg_mine', 'firefox-1');
    run.run('ins_mine', 'msg_mine');
    add.run('msg_other', 'firefox-2');
    run.run('ins_other', 'msg_other');
    agent.bridge.journalChanged();
    const { snapshot } = await mine.next('snapshot');
    const { recent_ingests, recent_executes } = snapshot.browser.instruction_ingest;
    expect(recent_ingests.map((entry) => entry.message_id)).toEqual(['msg_mine']);
    expect(recent_executes.map((entry) => entry.instruction_id)).toEqual(['ins_mine']);
  });
});

describe('a click on what the edge keeps', () => {
  const hash = 'a'.repeat(64);
  it.each([
    [
      { action: 'instruction.approve', instruction_id: 'ins_1', approval_hash: hash },
      'POST /v1/instructions/ins_1/approve',
      { approval_hash: hash },
    ],
    [
      { action: 'instruction.deny', instruction_id: 'ins_1', approval_hash: hash },
      'POST /v1/instructions/ins_1/deny',
      { approval_hash: hash },
    ],
    [{ action: 'instruction.cancel', instruction_id: 'ins_1' }, 'POST /v1/instructions/ins_1/cancel', {}],
    [{ action: 'message.resubmit', message_id: 'msg_1' }, 'POST /v1/messages/msg_1/resubmit', {}],
    [{ action: 'client.resume' }, 'POST /v1/browser/clients/firefox-1/resume', {}],
    [
      { action: 'client.resume', client_id: 'firefox-2', platform: 'claude' },
      'POST /v1/browser/clients/firefox-2/resume',
      { platform: 'claude' },
    ],
  ] as const)('is done there under that browser’s token: $0.action', async (frame, request, body) => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    agent.edge = () => ({ done: true });
    client.send({ type: 'page_control', request_id: 'p1', ...frame });
    expect(await client.next('page_control_result')).toMatchObject({ ok: true, data: { done: true } });
    expect(agent.calls.at(-1)).toEqual({ request, body, token: CLIENT_TOKEN });
  });

  it('is refused without the hash of what was seen', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    client.send({ type: 'page_control', request_id: 'p1', action: 'instruction.approve', instruction_id: 'ins_1' });
    expect(await client.next('page_control_result')).toMatchObject({ ok: false, error: { code: 'invalid_request' } });
    expect(agent.calls).toEqual([]);
  });
});

describe('deliveries', () => {
  const enqueue = (agent: BridgeFixture): void =>
    agent.bridge.delivery.enqueue({
      plan_id: 'reply:msg_1',
      subject_id: 'msg_1',
      platform: 'chatgpt',
      client_id: 'firefox-1',
      conversation_id: 'c1',
      target: {
        client_id: 'firefox-1',
        conversation_id: 'c1',
        page_url: 'https://chatgpt.com/c/c1',
        page_title: null,
        tab_id: 17,
        shell_page: false,
      },
      message_text: 'done',
      assistant_message_id: 'a-1',
      timeout_ms: 20_000,
    });

  it('reach the browser they are for, and its answer ends them', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    enqueue(agent);
    const delivery = await client.next('browser.proxy_delivery');
    expect(delivery).toMatchObject({ message_text: 'done', client_id: 'firefox-1', tab_id: 17 });
    client.answer(delivery);
    await expect.poll(() => agent.told('reply')).toMatchObject([{ body: { outcome: 'delivered' } }]);
  });

  it('go out when the browser connects', async () => {
    const agent = await BridgeFixture.start();
    enqueue(agent);
    const client = await agent.browser();
    await client.next('browser.proxy_delivery');
  });

  it('are uncertain when the browser’s socket is lost in the middle', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    enqueue(agent);
    await client.next('browser.proxy_delivery');
    await client.close();
    await expect
      .poll(() => agent.told('reply'))
      .toMatchObject([{ body: { outcome: 'uncertain', reason: 'connection_lost' } }]);
  });

  it('are answered by a newer connection of the same browser as well', async () => {
    const agent = await BridgeFixture.start();
    const older = await agent.browser();
    enqueue(agent);
    const delivery = await older.next('browser.proxy_delivery');
    const newer = await agent.browser('firefox-1', 'paired already');
    newer.answer(delivery);
    await expect.poll(() => agent.told('reply')).toMatchObject([{ body: { outcome: 'delivered' } }]);
  });
});
