import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { makeDiskOf } from '../../../support/disk-full.ts';
import { actionResult, clientState, finalMessage, pageOf } from '../../../support/test-browser.ts';
import { BridgeFixture, CLIENT_TOKEN, conversation } from './fixture.ts';

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}

/** Pages of these conversations in tabs 1, 2, … */
const pages = (...ids: string[]) => ids.map((id, index) => pageOf(id, 'chatgpt', index + 1));

describe('final messages', () => {
  it('a final message is acknowledged after it is on disk with its age', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.onFinalMessage = (frame, ageMs) => {
      // The message and the mark that it was seen are stored in one transaction.
      expect(agent.store.db.isTransaction).toBe(true);
      agent.ingested.push({ frame, ageMs });
    };
    client.send(finalMessage({ observed_at: agent.clock.now() - 1_500 }));
    expect(await client.next('message_ack')).toEqual({ type: 'message_ack', request_id: 'fm-1' });
    expect(agent.ingested).toMatchObject([{ frame: { raw_text: 'hello' }, ageMs: 1_500 }]);
  });

  it('frames behind a final message that takes time wait, and are handled in their order', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.prepare = (frame) => {
      const storeMessage = (ageMs: number) => agent.onFinalMessage(frame, ageMs);
      // Many turns, in which the agent receives the frames behind it.
      return frame.request_id === 'fm-1' ? turns(50).then(() => storeMessage) : storeMessage;
    };
    for (const id of ['fm-1', 'fm-2', 'fm-3']) client.send(finalMessage({ request_id: id }));
    for (const id of ['fm-1', 'fm-2', 'fm-3'])
      expect(await client.next('message_ack')).toMatchObject({ request_id: id });
    expect(agent.ingested.map(({ frame }) => frame.request_id)).toEqual(['fm-1', 'fm-2', 'fm-3']);
  });

  it('a final message that cannot be prepared is not acknowledged, and is stored when it is sent again', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    const { prepare } = agent;
    agent.prepare = () => Promise.reject(new Error('no such folder'));
    client.send(finalMessage());
    expect(await client.next('error')).toMatchObject({ re: 'fm-1', code: 'internal' });
    agent.prepare = prepare;
    client.send(finalMessage());
    await client.next('message_ack');
    expect(agent.ingested).toHaveLength(1);
  });

  it('a final message whose connection closes while it is prepared is stored once, when it is sent again', async () => {
    const agent = await BridgeFixture.start();
    const first = await agent.browser();
    const isReady = Promise.withResolvers<void>();
    const isAsked = Promise.withResolvers<void>();
    const { prepare } = agent;
    agent.prepare = async (frame) => {
      isAsked.resolve();
      await isReady.promise;
      return (ageMs) => agent.onFinalMessage(frame, ageMs);
    };
    first.client.send(finalMessage());
    await isAsked.promise;
    await first.client.close();
    agent.prepare = prepare;
    const { client } = await agent.browser();
    client.send(finalMessage());
    await client.next('message_ack');
    isReady.resolve();
    await turns(50);
    expect(agent.ingested).toHaveLength(1);
  });

  it('a final message that could not be stored is not acknowledged, and is stored when it is sent again', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    const takes = agent.onFinalMessage;
    agent.onFinalMessage = () => {
      throw new Error('the disk is full');
    };
    client.send(finalMessage());
    expect(await client.next('error')).toMatchObject({ re: 'fm-1', code: 'internal' });
    expect(client.untaken('message_ack')).toEqual([]);
    agent.onFinalMessage = takes;
    client.send(finalMessage());
    await client.next('message_ack');
    expect(agent.ingested).toHaveLength(1);
  });

  it('a final message on a full disk is refused with what to do, and is stored when there is space', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    const disk = makeDiskOf(agent.store);
    disk.isFull = true;
    client.send(finalMessage());
    expect(await client.next('error')).toMatchObject({
      re: 'fm-1',
      message: expect.stringMatching(/the disk of this node is full.*free space/),
    });
    expect(client.untaken('message_ack')).toEqual([]);
    disk.isFull = false;
    client.send(finalMessage());
    await client.next('message_ack');
    expect(agent.ingested).toHaveLength(1);
  });

  it('a final message and the mark that it was seen are stored together or not at all', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.onFinalMessage = () => {
      const row = { stream: 's', kind: 'ingest', method: 'POST', path: '/v1/messages', body: {}, context: {} } as const;
      agent.store.outbox.append(row);
    };
    const refuse =
      "CREATE TRIGGER full BEFORE INSERT ON bridge_seen BEGIN SELECT raise(ABORT, 'the disk is full'); END";
    agent.store.db.exec(refuse);
    client.send(finalMessage());
    await client.next('error');
    expect(agent.reported('ingest')).toEqual([]);
    agent.store.db.exec('DROP TRIGGER full');
    client.send(finalMessage());
    await client.next('message_ack');
    expect(agent.reported('ingest')).toHaveLength(1);
  });

  it('a repeated final message is acknowledged and not stored again, also on another connection', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    client.send(finalMessage());
    client.send(finalMessage());
    await client.next('message_ack');
    await client.next('message_ack');
    const { client: again } = await agent.browser('firefox-1', 'paired already');
    again.send(finalMessage());
    await again.next('message_ack');
    expect(agent.ingested).toHaveLength(1);
  });

  it('a final message of another browser is refused', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    client.send(finalMessage({ client_id: 'firefox-2' }));
    expect(await client.next('message_nack')).toMatchObject({ request_id: 'fm-1', code: 'not_owner' });
    expect(await client.next('error')).toMatchObject({ re: 'fm-1', code: 'not_owner' });
    expect(agent.ingested).toEqual([]);
  });
});

describe('frames that cannot be read', () => {
  it.each([
    ['an unknown type', { type: 'browser.from_the_future', request_id: 'r1' }, 'r1'],
    ['a known type with a wrong field', { ...finalMessage(), tab_id: -1 }, 'fm-1'],
    [
      'a second hello',
      { type: 'hello', client_id: 'firefox-1', browser: '', extension_version: '', platforms: [], token: '' },
      null,
    ],
  ])('a frame with %s gets an error and breaks nothing', async (_what, frame, re) => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    client.sendText(JSON.stringify(frame));
    expect(await client.next('error')).toMatchObject({ re, code: 'invalid_request' });
    client.send(finalMessage());
    await client.next('message_ack');
  });

  it.each([
    ['is not JSON', 'not JSON'],
    ['nests 100,000 levels deep', `{"type":"diagnostic","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['has a number that JSON cannot return', '{"type":"diagnostic","x":1e999}'],
  ])('a frame that %s closes the connection with 4400', async (_what, text) => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    client.sendText(text);
    expect(await client.closed).toMatchObject({ code: 4400 });
  });
});

describe('the state of a browser', () => {
  it('a state is reported to the edge only when it differs from the last one', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    client.send(clientState('s1', pages('c1'), { observed_at: 1 }));
    client.send(clientState('s2', pages('c1'), { observed_at: 2 }));
    client.send(clientState('s3', pages('c1', 'c2'), { observed_at: 3 }));
    for (const id of ['s1', 's2', 's3']) expect(await client.next('message_ack')).toMatchObject({ request_id: id });
    const reports = agent.reported('client_put').slice(1);
    expect(reports).toMatchObject([
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
  it('a pause is sent under the browser’s own token, and its result is what the edge confirmed', async () => {
    const agent = await BridgeFixture.start();
    const confirmed = { accepted: true, status: 'applied', summary: 'paused', mode: 'paused', version: 3 };
    agent.edge = () => confirmed;
    const { client } = await agent.browser();
    client.send({ type: 'page_control', request_id: 'p1', action: 'system.pause', reason: 'lunch' });
    expect(await client.next('page_control_result')).toEqual({
      type: 'page_control_result',
      request_id: 'p1',
      ok: true,
      data: confirmed,
    });
    expect(agent.calls).toEqual([{ request: 'POST /v1/system/pause', body: { reason: 'lunch' }, token: CLIENT_TOKEN }]);
  });

  it('a pause can leave its end to a person', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = () => ({ accepted: true, status: 'applied', summary: 'paused', mode: 'paused', version: 3 });
    const { client } = await agent.browser();
    client.send({ type: 'page_control', request_id: 'p1', action: 'system.pause', hold: true });
    expect(await client.next('page_control_result')).toMatchObject({ ok: true });
    expect(agent.calls).toMatchObject([{ request: 'POST /v1/system/pause', body: { hold: true } }]);
  });

  it('a change of mode looks the conversation up at the edge and sets it there', async () => {
    const agent = await BridgeFixture.start();
    agent.edge = ({ method, path }) => {
      if (method === 'POST') return conversation({ automation_status: 'manual' });
      return path.includes('?') ? { items: [conversation()], next_cursor: null } : conversation();
    };
    const { client } = await agent.browser();
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
  ])('an action gets the error of its failure when %s', async (_when, frame, code) => {
    const agent = await BridgeFixture.start();
    agent.edge = () => {
      throw new EdgeError('status', 403, 'forbidden', 'not yours');
    };
    const { client } = await agent.browser();
    client.send({ type: 'page_control', request_id: 'p1', ...frame });
    expect(await client.next('page_control_result')).toMatchObject({ ok: false, error: { code } });
  });
});

describe('snapshots', () => {
  it('a snapshot with the mode and the open conversations is pushed at every change', async () => {
    const agent = await BridgeFixture.start();
    const known = [conversation(), conversation({ local_conversation_id: 'lc_2', remote_conversation_id: 'c2' })];
    agent.edge = ({ path }) => ({
      items: known.filter((one) => path.endsWith(`=${one.remote_conversation_id}`)),
      next_cursor: null,
    });
    const { client } = await agent.browser();
    client.send(clientState('s1', pages('c1')));
    const first = await client.next('snapshot', ({ snapshot }) => snapshot.conversations.length > 0);
    expect(first.snapshot.conversations).toMatchObject([
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
    expect(paused.snapshot.system).toMatchObject({ mode: 'paused', version: 7 });

    agent.edge = () => conversation({ automation_status: 'paused', pause_reason: 'user_pause' });
    await agent.side.conversations.reread(['lc_1']);
    const changed = await client.next(
      'snapshot',
      ({ snapshot }) => snapshot.conversations[0]?.automation_status === 'paused',
    );
    expect(changed.snapshot.conversations[0]?.pause_reason).toBe('user_pause');
  });

  it('a snapshot that shows the same is not sent again', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.side.snapshots.activityChanged();
    agent.system.observe('draining', 8);
    await client.next('snapshot', ({ snapshot }) => snapshot.system.version === 8);
    expect(client.untaken('snapshot').length).toBeLessThanOrEqual(1);
    agent.side.snapshots.activityChanged();
    client.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'after' });
    await client.next('message_ack');
    expect(client.untaken('snapshot')).toEqual([]);
  });

  it('a snapshot shows a bounded number of the newest messages from the disk', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    const add = agent.store.db.prepare(
      `INSERT INTO messages (message_id, client_id, platform, remote_conversation_id, local_conversation_id, ingest_status,
         target, block_errors, state, created_at)
       VALUES (?, 'firefox-1', 'chatgpt', 'c1', 'lc_1', 'accepted', '{}', '[]', 'done', ?)`,
    );
    for (const n of [1, 2, 3]) add.run(`msg_${n}`, n);
    agent.side.snapshots.activityChanged();
    const { snapshot } = await client.next('snapshot');
    const { last_ingest, recent_ingests } = snapshot.browser.instruction_ingest;
    expect(recent_ingests.map((entry) => entry.message_id)).toEqual(['msg_3', 'msg_2']);
    expect(last_ingest).toMatchObject({ message_id: 'msg_3', conversation_id: 'c1', ingest_status: 'accepted' });
  });
});

describe('recent activity', () => {
  it('the messages and executions of another browser are not in the snapshot', async () => {
    const agent = await BridgeFixture.start();
    const { client: mine } = await agent.browser('firefox-1');
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
    agent.side.snapshots.activityChanged();
    const { snapshot } = await mine.next('snapshot');
    const { recent_ingests, recent_executes } = snapshot.browser.instruction_ingest;
    expect(recent_ingests.map((entry) => entry.message_id)).toEqual(['msg_mine']);
    const [ingest] = recent_ingests;
    const { platform, conversation_id } = ingest ?? {};
    expect(recent_executes).toMatchObject([{ instruction_id: 'ins_mine', platform, conversation_id }]);
  });
});

describe('an action of a person in the overlay', () => {
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
  ] as const)('$0.action is sent to the edge under that browser’s token', async (frame, request, body) => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.edge = () => ({ done: true });
    client.send({ type: 'page_control', request_id: 'p1', ...frame });
    expect(await client.next('page_control_result')).toMatchObject({ ok: true, data: { done: true } });
    expect(agent.calls.at(-1)).toEqual({ request, body, token: CLIENT_TOKEN });
  });

  it('an approval without the hash of what the person saw is refused', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    client.send({ type: 'page_control', request_id: 'p1', action: 'instruction.approve', instruction_id: 'ins_1' });
    expect(await client.next('page_control_result')).toMatchObject({ ok: false, error: { code: 'invalid_request' } });
    expect(agent.calls).toEqual([]);
  });
});

describe('deliveries', () => {
  const enqueue = (agent: BridgeFixture): void =>
    agent.side.delivery.enqueueReply({
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

  it('a delivery reaches its browser and ends with the browser’s result', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    enqueue(agent);
    const delivery = await client.next('browser.proxy_delivery');
    expect(delivery).toMatchObject({ message_text: 'done', client_id: 'firefox-1', tab_id: 17 });
    client.send(actionResult(delivery));
    await expect.poll(() => agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered' } }]);
  });

  it('a queued delivery leaves when its browser connects', async () => {
    const agent = await BridgeFixture.start();
    enqueue(agent);
    const { client } = await agent.browser();
    await client.next('browser.proxy_delivery');
  });

  it('a delivery whose browser disconnects before its result is asked for when it is back', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    enqueue(agent);
    const { plan_id } = await client.next('browser.proxy_delivery');
    await client.close();
    await expect.poll(() => agent.side.connected.isConnected('firefox-1')).toBe(false);
    const { client: newer } = await agent.browser('firefox-1', 'paired already');
    agent.clock.advance(2 * DELIVERY.min_spacing_ms);
    const asked = await newer.next('browser.proxy_delivery');
    expect(asked.plan_id).toBe(plan_id);
    newer.send(actionResult(asked));
    await expect.poll(() => agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 1 } }]);
  });

  it('the result of a delivery may come over a newer connection of the same browser', async () => {
    const agent = await BridgeFixture.start();
    const { client: older } = await agent.browser();
    enqueue(agent);
    const delivery = await older.next('browser.proxy_delivery');
    const { client: newer } = await agent.browser('firefox-1', 'paired already');
    newer.send(actionResult(delivery));
    await expect.poll(() => agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered' } }]);
  });
});

describe('a page that can be used again', () => {
  it('is passed on to the deliveries, under the browser of the connection', async () => {
    const agent = await BridgeFixture.start();
    const reported: unknown[] = [];
    agent.side.delivery.onComposerFree = (...report) => void reported.push(report);
    const { client } = await agent.browser();
    client.send({ type: 'browser.composer_free', platform: 'chatgpt', conversation_id: 'c1' });
    client.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'after it' });
    await client.next('message_ack');
    expect(reported).toMatchObject([['firefox-1', { platform: 'chatgpt', conversation_id: 'c1' }]]);
  });
});
