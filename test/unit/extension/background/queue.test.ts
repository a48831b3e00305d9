import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { MessageQueue, QUEUE_LIMITS } from '../../../../extension/background/queue/message-queue.ts';
import type { FinalMessage } from '../../../../schema/contracts/bridge-frames.ts';
import { TestEnv, TestStorage } from '../../../support/extension/test-env.ts';
import { gate } from '../../../support/sites/streaming.ts';
import { finalMessage } from '../../../support/test-browser.ts';
import { TestClock } from '../../../support/test-clock.ts';
import { until } from '../../../support/until.ts';

class QueueScene {
  readonly clock = new TestClock();
  readonly sent: FinalMessage[] = [];
  readonly reports: string[] = [];
  readonly queue: MessageQueue;
  readonly storage: TestStorage;

  constructor(storage = new TestStorage()) {
    this.storage = storage;
    this.queue = new MessageQueue({
      storage,
      clock: this.clock,
      random: () => 0,
      send: (frame) => {
        this.sent.push(frame);
        return true;
      },
      report: (what) => this.reports.push(what),
    });
  }

  async add(request_id: string, raw_text = 'text'): Promise<string> {
    return this.queue.add(finalMessage({ request_id, raw_text }));
  }

  get ids(): string[] {
    return this.sent.map(({ request_id }) => request_id);
  }

  /** The background page ends and another one starts on the same storage. */
  async restart(): Promise<QueueScene> {
    await this.clock.flush();
    const next = new QueueScene(this.storage);
    await next.queue.load();
    next.queue.sendAll();
    return next;
  }
}

/** A queue whose storage writes nothing before `disk` opens. */
function withSlowStorage() {
  const scene = new QueueScene();
  const disk = gate();
  const { storage } = scene;
  const set = storage.set.bind(storage);
  storage.set = async (items) => {
    await disk.opened;
    await set(items);
  };
  return { scene, storage, disk };
}

describe('the queue of messages', () => {
  it('keeps a message over restarts, under its request id, until the agent has it', async () => {
    const scene = new QueueScene();
    await scene.add('m1');
    await scene.add('m2');
    const second = await scene.restart();
    expect(second.ids).toEqual(['m1', 'm2']);
    second.queue.acknowledged('m1');
    expect((await second.restart()).ids).toEqual(['m2']);
  });

  it('leaves nothing in storage when everything is acknowledged', async () => {
    const scene = new QueueScene();
    await scene.add('m1');
    scene.queue.acknowledged('m1');
    await scene.clock.flush();
    expect([...scene.storage.items]).toEqual([['queue', []]]);
  });

  it('removes at its start the text of a message whose removal was cut off in the middle, and nothing else', async () => {
    const scene = new QueueScene();
    await scene.add('m1');
    await scene.add('m2');
    scene.storage.items.set('settings', {});
    // The background page ends between the two writes.
    scene.storage.remove = () => new Promise(() => undefined);
    scene.queue.acknowledged('m1');
    await scene.clock.flush();
    expect(scene.storage.items.has('queue/m1')).toBe(true);
    const storage = new TestStorage();
    for (const [key, value] of scene.storage.items) storage.items.set(key, value);
    const next = new QueueScene(storage);
    await next.queue.load();
    expect([...storage.items.keys()].sort()).toEqual(['queue', 'queue/m2', 'settings']);
  });

  it('sends a message at once, while it is being stored', async () => {
    const { scene, storage, disk } = withSlowStorage();
    const taken = scene.add('m1');
    await until(() => scene.ids.length > 0);
    expect(storage.items.size).toBe(0);
    disk.open();
    expect(await taken).toBe('stored');
    expect(storage.items.get('queue')).toEqual(['m1']);
  });

  it('leaves nothing of a message that the agent has before it is stored', async () => {
    const { scene, storage, disk } = withSlowStorage();
    const taken = scene.add('m1');
    await until(() => scene.ids.length > 0);
    scene.queue.acknowledged('m1');
    disk.open();
    await taken;
    await scene.clock.flush();
    expect([...storage.items]).toEqual([['queue', []]]);
  });

  it('takes the same message once', async () => {
    const scene = new QueueScene();
    await scene.add('m1');
    await scene.add('m1');
    expect(scene.queue.size).toBe(1);
    expect(scene.ids).toEqual(['m1']);
  });

  it('drops and reports a message that the agent can never store', async () => {
    const scene = new QueueScene();
    await scene.add('m1');
    scene.queue.refused('m1', 'invalid_request');
    expect(scene.reports).toEqual(['message_refused_by_agent: invalid_request']);
    expect((await scene.restart()).ids).toEqual([]);
  });

  it('sends a message again, after growing waits, that the agent could not store now', async () => {
    const scene = new QueueScene();
    await scene.add('m1');
    scene.queue.failed('m1', 'internal');
    scene.clock.advance(4_999);
    expect(scene.ids).toEqual(['m1']);
    scene.clock.advance(1);
    expect(scene.ids).toEqual(['m1', 'm1']);
    scene.queue.failed('m1', 'internal');
    scene.clock.advance(9_999);
    expect(scene.ids).toHaveLength(2);
    scene.clock.advance(1);
    expect(scene.ids).toHaveLength(3);
    expect((await scene.restart()).ids).toEqual(['m1']);
  });

  it('refuses a new message and says so when it is full by count, and keeps what it has', async () => {
    const scene = new QueueScene();
    for (let n = 0; n < QUEUE_LIMITS.messages; n += 1) expect(await scene.add(`m${n}`)).toBe('stored');
    expect(scene.queue.isFull).toBe(false);
    expect(await scene.add('one too many')).toBe('full');
    expect(scene.queue.isFull).toBe(true);
    expect(scene.reports).toEqual([`message_waits_for_room: ${QUEUE_LIMITS.messages}`]);
    expect((await scene.restart()).ids).toHaveLength(QUEUE_LIMITS.messages);
    scene.queue.acknowledged('m0');
    expect(scene.queue.isFull).toBe(false);
    expect(await scene.add('next')).toBe('stored');
  });

  it('refuses a new message when it is full by bytes', async () => {
    const scene = new QueueScene();
    const large = 'x'.repeat(1_000_000);
    let taken = 0;
    while ((await scene.add(`m${taken}`, large)) === 'stored') taken += 1;
    expect(taken).toBe(Math.floor(QUEUE_LIMITS.bytes / 1_000_400));
  });

  it('refuses a message that is longer than the agent takes', async () => {
    const scene = new QueueScene();
    expect(await scene.add('m1', 'x'.repeat(1_048_577))).toBe('refused');
    expect(await scene.add('m2', '\u0001'.repeat(1_000_000))).toBe('refused');
    expect(scene.reports).toHaveLength(2);
  });

  it('sends a message also when the browser cannot store it, and says so', async () => {
    const storage = new TestStorage();
    storage.isFull = true;
    const scene = new QueueScene(storage);
    expect(await scene.add('m1')).toBe('stored');
    expect(scene.ids).toEqual(['m1']);
    expect(scene.reports).toHaveLength(1);
  });
});

describe('messages and the connection', () => {
  const answer = { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' };
  const FINAL = { type: 'final', answer, text: 'done', history: false };

  it('a message that ends while the agent is away is sent after its greeting, also by a new background page', async () => {
    const env = new TestEnv().pair();
    const first = startBackground(env.env);
    await first.ready;
    await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [FINAL]);
    await until(() => JSON.stringify(env.storage.items.get('sent'))?.startsWith('["') === true);
    const next = new TestEnv({ storage: env.storage });
    startBackground(next.env);
    await next.greet();
    const [message] = await next.finalMessages(1);
    expect(message?.raw_text).toBe('done');
    next.socket.receive({ type: 'message_ack', request_id: message?.request_id });
    await next.clock.flush();
    const last = new TestEnv({ storage: env.storage });
    startBackground(last.env);
    await last.greet();
    expect(last.socket.frames('browser.final_message')).toEqual([]);
  });

  it('a message is sent again under the same request id after each reconnection', async () => {
    const env = new TestEnv().pair();
    startBackground(env.env);
    await env.greet();
    await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [FINAL]);
    const [first] = await env.finalMessages(1);
    env.socket.end(1006);
    await env.clock.elapse(1_000);
    await env.greet();
    expect(await env.finalMessages(1)).toEqual([first]);
  });

  it('a message has the id under which the browser is paired now', async () => {
    const env = new TestEnv();
    const background = startBackground(env.env);
    await background.ready;
    await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [FINAL]);
    await until(() => background.queue.size > 0);
    env.pair().storageChanged('pairing');
    await env.greet();
    expect(await env.finalMessages(1)).toMatchObject([{ client_id: 'firefox-1' }]);
  });
});
