import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { EdgeClient, EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { OutboxSender } from '../../../../local-agent/edge/outbox-sender.ts';
import type { ResponseHandler } from '../../../../local-agent/edge/response-handlers.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

interface Call {
  request: EdgeRequest<unknown>;
  respond: (data: unknown) => void;
  fail: (error: Error) => void;
}

/** A client whose calls wait until the test responds. */
class HeldClient implements EdgeClient {
  readonly calls: Call[] = [];

  call<T>(request: EdgeRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.calls.push({ request, respond: (data) => resolve(request.schema.parse(data)), fail: reject });
    });
  }

  async close(): Promise<void> {}

  get keys(): (string | undefined)[] {
    return this.calls.map(({ request }) => request.idempotencyKey);
  }

  last(): Call {
    const call = this.calls.at(-1);
    if (!call) throw new Error('nothing was sent');
    return call;
  }
}

const away = () => new EdgeError('network', 0, 'network', 'away');
const refusedWith = (status: number, retryAfterMs: number | null = null) =>
  new EdgeError('status', status, 'conflict', 'no', retryAfterMs);

function note(text: string, stream = 'node') {
  return { stream, kind: 'note', method: 'POST', path: '/v1/notes', body: { text }, context: { text } } as const;
}

function setUp(
  options: {
    store?: Store;
    handler?: Partial<ResponseHandler>;
    maySend?: (kind: string) => boolean;
    clock?: TestClock;
  } = {},
) {
  const clock = options.clock ?? new TestClock();
  const store = options.store ?? openTestStore(clock);
  const client = new HeldClient();
  const responses: unknown[] = [];
  const handler: ResponseHandler = {
    schema: z.object({ seen: z.string() }),
    onResponse: (response, row) => {
      responses.push([row.context, response]);
      return undefined;
    },
    ...options.handler,
  };
  const problems: string[] = [];
  /** Of each refusal, how many refused rows were kept when it was announced. */
  const announced: number[] = [];
  const sender = new OutboxSender({
    store,
    client,
    handlers: new Map([['note', handler]]),
    clock,
    random: () => 0.5,
    maySend: options.maySend ?? (() => true),
    onRefused: () => announced.push(store.outbox.refusedCount()),
    onProblem: (message) => problems.push(message),
  });
  onTestFinished(() => sender.stop());
  return { clock, store, client, responses, problems, announced, sender };
}

describe('the outbox sender', () => {
  it('a stream is sent in order, one request at a time', async () => {
    const { clock, store, client, sender, responses } = setUp();
    for (const text of ['a', 'b', 'c']) store.outbox.append(note(text));
    sender.start();
    for (const text of ['a', 'b', 'c']) {
      await clock.flush();
      expect(JSON.parse(client.last().request.rawBody ?? '')).toEqual({ text });
      client.last().respond({ seen: text });
    }
    await clock.flush();
    expect(client.keys).toEqual(['box/node/1', 'box/node/2', 'box/node/3']);
    expect(responses).toEqual(['a', 'b', 'c'].map((text) => [{ text }, { seen: text }]));
    expect(store.outbox.pendingCount()).toBe(0);
  });

  it('a stuck stream does not delay another one', async () => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append(note('a', 'conv:1'));
    store.outbox.append(note('b', 'conv:2'));
    sender.start();
    await clock.flush();
    expect(client.keys).toEqual(['box/conv:1/1', 'box/conv:2/1']);
  });

  it('an idle sender does nothing until an append wakes it', async () => {
    const { clock, store, client, sender } = setUp();
    sender.start();
    await clock.elapse(600_000);
    expect(client.calls).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
    store.transaction(() => store.outbox.append(note('a')));
    await clock.flush();
    expect(client.calls).toHaveLength(1);
  });

  it('a row appended while the response to the one before is handled is sent', async () => {
    const { clock, store, client, sender } = setUp({
      handler: {
        onResponse: () => {
          if (store.outbox.pendingCount() === 0 && client.calls.length === 1) store.outbox.append(note('follow-up'));
          return undefined;
        },
      },
    });
    store.outbox.append(note('a'));
    sender.start();
    await clock.flush();
    client.last().respond({ seen: 'a' });
    await clock.flush();
    expect(client.keys).toEqual(['box/node/1', 'box/node/2']);
  });

  it.each([
    ['no response', away()],
    ['a token that the edge rejects', refusedWith(401)],
    ['408', refusedWith(408)],
    ['429', refusedWith(429)],
    ['503', refusedWith(503)],
  ])('a row is sent again later under the same key after %s', async (_, failure) => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append(note('a'));
    sender.start();
    await clock.flush();
    client.last().fail(failure);
    await clock.flush();
    expect(client.calls).toHaveLength(1);
    await clock.elapse(250);
    expect(client.keys).toEqual(['box/node/1', 'box/node/1']);
  });

  it('a retry waits as long as the edge asks', async () => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append(note('a'));
    sender.start();
    await clock.flush();
    client.last().fail(refusedWith(429, 9_000));
    await clock.elapse(9_000);
    expect(client.calls).toHaveLength(1);
    await clock.elapse(250);
    expect(client.calls).toHaveLength(2);
  });

  it('a refused row is kept and announced, its handler is called, and its stream continues', async () => {
    const refused: unknown[] = [];
    const { clock, store, client, sender, problems, announced } = setUp({
      handler: {
        onRefusal: (refusal, row) => {
          refused.push([refusal.code, row.context]);
          return undefined;
        },
      },
    });
    store.outbox.append(note('a'));
    store.outbox.append(note('b'));
    sender.start();
    await clock.flush();
    client.last().fail(refusedWith(409));
    await clock.flush();
    expect(client.keys).toEqual(['box/node/1', 'box/node/2']);
    expect(refused).toEqual([['conflict', { text: 'a' }]]);
    expect(store.outbox.refused(5)).toHaveLength(1);
    expect(announced).toEqual([1]);
    expect(problems).toEqual(['the edge refused a row of the outbox']);
  });

  it('every attempt carries the age of its fact', async () => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append({ ...note('a'), ageMs: 100 });
    sender.start();
    await clock.flush();
    client.last().fail(away());
    await clock.elapse(250);
    expect(client.calls.map(({ request }) => request.ageMs)).toEqual([100, 350]);
  });

  it('a row that may not leave yet is held, and a flush does not wait for it', async () => {
    let open = false;
    const { clock, store, client, sender } = setUp({ maySend: (kind) => kind !== 'note' || open });
    store.outbox.append(note('a'));
    sender.start();
    await clock.flush();
    expect(client.calls).toHaveLength(0);
    expect(await sender.flush(1_000)).toBe(true);
    open = true;
    sender.wake();
    await clock.flush();
    expect(client.calls).toHaveLength(1);
  });

  it('a flush ends when all rows have left or when its time is over', async () => {
    const { clock, store, client, sender } = setUp();
    sender.start();
    store.outbox.append(note('a'));
    const flushed = sender.flush(5_000);
    await clock.flush();
    client.last().respond({ seen: 'a' });
    expect(await flushed).toBe(true);
    store.outbox.append(note('b'));
    const cut = sender.flush(5_000);
    await clock.elapse(5_000);
    expect(await cut).toBe(false);
  });
});

describe('an agent that is killed', () => {
  const restart = (path: string, clock: TestClock) => openTestStore(clock, path);

  it('a kill between the edge’s commit and its own makes the agent send the same key again', async () => {
    const path = join(tempDir(), 'agent.sqlite');
    const first = setUp({ store: restart(path, new TestClock()) });
    first.store.outbox.append(note('a'));
    first.sender.start();
    await first.clock.flush();
    first.sender.stop();
    first.store.close();
    const second = setUp({ store: restart(path, new TestClock()) });
    second.sender.start();
    await second.clock.flush();
    expect(second.client.keys).toEqual(first.client.keys);
    expect(second.client.last().request.rawBody).toBe(first.client.last().request.rawBody);
  });

  it('a kill before a response is handled makes the agent handle it once, before any row leaves', async () => {
    const path = join(tempDir(), 'agent.sqlite');
    const crash = () => {
      throw new Error('killed here');
    };
    const first = setUp({ store: restart(path, new TestClock()), handler: { onResponse: crash } });
    first.store.outbox.append(note('a'));
    first.sender.start();
    await first.clock.flush();
    first.client.last().respond({ seen: 'a' });
    await first.clock.flush();
    first.store.outbox.append(note('b'));
    first.sender.stop();
    first.store.close();

    const order: string[] = [];
    const second = setUp({
      store: restart(path, new TestClock()),
      handler: {
        onResponse: (_, row) => {
          order.push(JSON.stringify(row.context));
          return undefined;
        },
      },
    });
    second.sender.start();
    expect(order).toEqual(['{"text":"a"}']);
    await second.clock.flush();
    expect(second.client.keys).toEqual(['box/node/2']);
    second.sender.stop();
    second.store.close();

    const third = setUp({ store: restart(path, new TestClock()), handler: { onResponse: crash } });
    third.sender.start();
    expect(third.problems).toEqual([]);
  });

  it('the effect of a response and its removal are stored together or not at all', async () => {
    const { clock, store, client, sender } = setUp({
      handler: {
        onResponse: () => {
          store.meta.set('effect', 'half');
          throw new Error('in the middle');
        },
      },
    });
    store.outbox.append(note('a'));
    sender.start();
    await clock.flush();
    client.last().respond({ seen: 'a' });
    await clock.flush();
    expect(store.meta.get('effect')).toBeNull();
    expect(store.responses.pending()).toHaveLength(1);
  });
});
