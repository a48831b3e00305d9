import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { EdgeClient, EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { OutboxSender } from '../../../../local-agent/edge/outbox-sender.ts';
import type { ResponseHandler } from '../../../../local-agent/edge/response-handlers.ts';
import type { Store } from '../../../../local-agent/store/store.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { tempDir } from '../../../support/temp-dir.ts';

interface Call {
  request: EdgeRequest<unknown>;
  answer: (data: unknown) => void;
  fail: (error: Error) => void;
}

/** A client whose calls wait until the test answers them. */
class HeldClient implements EdgeClient {
  readonly calls: Call[] = [];

  call<T>(request: EdgeRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.calls.push({ request, answer: (data) => resolve(request.schema.parse(data)), fail: reject });
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
const said = (status: number, retryAfterMs: number | null = null) =>
  new EdgeError('status', status, 'conflict', 'no', retryAfterMs);

function note(text: string, stream = 'node') {
  return { stream, kind: 'note', method: 'POST', path: '/v1/notes', body: { text }, context: { text } } as const;
}

function setUp(
  options: {
    store?: Store;
    handler?: Partial<ResponseHandler>;
    maySend?: (kind: string) => boolean;
    clock?: FakeClock;
  } = {},
) {
  const clock = options.clock ?? new FakeClock();
  const store = options.store ?? openTestStore(clock);
  const client = new HeldClient();
  const answers: unknown[] = [];
  const handler: ResponseHandler = {
    schema: z.object({ seen: z.string() }),
    answered: (answer, row) => {
      answers.push([row.context, answer]);
      return undefined;
    },
    ...options.handler,
  };
  const problems: string[] = [];
  const sender = new OutboxSender({
    store,
    client,
    handlers: new Map([['note', handler]]),
    clock,
    random: () => 0.5,
    maySend: options.maySend ?? (() => true),
    onProblem: (message) => problems.push(message),
  });
  onTestFinished(() => sender.stop());
  return { clock, store, client, answers, problems, sender };
}

describe('the outbox sender', () => {
  it('sends a stream in order, one request at a time', async () => {
    const { clock, store, client, sender, answers } = setUp();
    for (const text of ['a', 'b', 'c']) store.outbox.append(note(text));
    sender.start();
    for (const text of ['a', 'b', 'c']) {
      await clock.settle();
      expect(JSON.parse(client.last().request.rawBody ?? '')).toEqual({ text });
      client.last().answer({ seen: text });
    }
    await clock.settle();
    expect(client.keys).toEqual(['box/node/1', 'box/node/2', 'box/node/3']);
    expect(answers).toEqual(['a', 'b', 'c'].map((text) => [{ text }, { seen: text }]));
    expect(store.outbox.pendingCount()).toBe(0);
  });

  it('lets a stuck stream keep no other one waiting', async () => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append(note('a', 'conv:1'));
    store.outbox.append(note('b', 'conv:2'));
    sender.start();
    await clock.settle();
    expect(client.keys).toEqual(['box/conv:1/1', 'box/conv:2/1']);
  });

  it('is woken by an append and does nothing while idle', async () => {
    const { clock, store, client, sender } = setUp();
    sender.start();
    await clock.advance(600_000);
    expect(client.calls).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
    store.transaction(() => store.outbox.append(note('a')));
    await clock.settle();
    expect(client.calls).toHaveLength(1);
  });

  it('sends a row that was appended while the one before was answered', async () => {
    const { clock, store, client, sender } = setUp({
      handler: {
        answered: () => {
          if (store.outbox.pendingCount() === 0 && client.calls.length === 1) store.outbox.append(note('follow-up'));
          return undefined;
        },
      },
    });
    store.outbox.append(note('a'));
    sender.start();
    await clock.settle();
    client.last().answer({ seen: 'a' });
    await clock.settle();
    expect(client.keys).toEqual(['box/node/1', 'box/node/2']);
  });

  it.each([
    ['no answer', away()],
    ['a token that the edge does not take', said(401)],
    ['408', said(408)],
    ['429', said(429)],
    ['503', said(503)],
  ])('tries again later under the same key after %s', async (_, failure) => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append(note('a'));
    sender.start();
    await clock.settle();
    client.last().fail(failure);
    await clock.settle();
    expect(client.calls).toHaveLength(1);
    await clock.advance(250);
    expect(client.keys).toEqual(['box/node/1', 'box/node/1']);
  });

  it('waits as long as the edge asks it to', async () => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append(note('a'));
    sender.start();
    await clock.settle();
    client.last().fail(said(429, 9_000));
    await clock.advance(9_000);
    expect(client.calls).toHaveLength(1);
    await clock.advance(250);
    expect(client.calls).toHaveLength(2);
  });

  it('keeps what the edge refuses, tells its handler, and goes on', async () => {
    const refused: unknown[] = [];
    const { clock, store, client, sender, problems } = setUp({
      handler: {
        refused: (refusal, row) => {
          refused.push([refusal.code, row.context]);
          return undefined;
        },
      },
    });
    store.outbox.append(note('a'));
    store.outbox.append(note('b'));
    sender.start();
    await clock.settle();
    client.last().fail(said(409));
    await clock.settle();
    expect(client.keys).toEqual(['box/node/1', 'box/node/2']);
    expect(refused).toEqual([['conflict', { text: 'a' }]]);
    expect(store.outbox.refused(5)).toHaveLength(1);
    expect(problems).toEqual(['the edge refused a row of the outbox']);
  });

  it('says how old the fact is at each attempt', async () => {
    const { clock, store, client, sender } = setUp();
    store.outbox.append({ ...note('a'), ageMs: 100 });
    sender.start();
    await clock.settle();
    client.last().fail(away());
    await clock.advance(250);
    expect(client.calls.map(({ request }) => request.ageMs)).toEqual([100, 350]);
  });

  it('holds back what may not leave yet, and lets other streams pass', async () => {
    let open = false;
    const { clock, store, client, sender } = setUp({ maySend: (kind) => kind !== 'note' || open });
    store.outbox.append(note('a'));
    sender.start();
    await clock.settle();
    expect(client.calls).toHaveLength(0);
    expect(await sender.flush(1_000)).toBe(true);
    open = true;
    sender.wake();
    await clock.settle();
    expect(client.calls).toHaveLength(1);
  });

  it('flushes until all has left, or until the time is over', async () => {
    const { clock, store, client, sender } = setUp();
    sender.start();
    store.outbox.append(note('a'));
    const flushed = sender.flush(5_000);
    await clock.settle();
    client.last().answer({ seen: 'a' });
    expect(await flushed).toBe(true);
    store.outbox.append(note('b'));
    const cut = sender.flush(5_000);
    await clock.advance(5_000);
    expect(await cut).toBe(false);
  });
});

describe('an agent that is killed', () => {
  const restart = (path: string, clock: FakeClock) => openTestStore(clock, path);

  it('after the edge has committed and before it has: sends the same key again', async () => {
    const path = join(tempDir(), 'agent.sqlite');
    const first = setUp({ store: restart(path, new FakeClock()) });
    first.store.outbox.append(note('a'));
    first.sender.start();
    await first.clock.settle();
    first.sender.stop();
    first.store.close();
    const second = setUp({ store: restart(path, new FakeClock()) });
    second.sender.start();
    await second.clock.settle();
    expect(second.client.keys).toEqual(first.client.keys);
    expect(second.client.last().request.rawBody).toBe(first.client.last().request.rawBody);
  });

  it('before an answer was worked off: works it off first, exactly once, before anything new leaves', async () => {
    const path = join(tempDir(), 'agent.sqlite');
    const crash = () => {
      throw new Error('killed here');
    };
    const first = setUp({ store: restart(path, new FakeClock()), handler: { answered: crash } });
    first.store.outbox.append(note('a'));
    first.sender.start();
    await first.clock.settle();
    first.client.last().answer({ seen: 'a' });
    await first.clock.settle();
    first.store.outbox.append(note('b'));
    first.sender.stop();
    first.store.close();

    const order: string[] = [];
    const second = setUp({
      store: restart(path, new FakeClock()),
      handler: {
        answered: (_, row) => {
          order.push(JSON.stringify(row.context));
          return undefined;
        },
      },
    });
    second.sender.start();
    expect(order).toEqual(['{"text":"a"}']);
    await second.clock.settle();
    expect(second.client.keys).toEqual(['box/node/2']);
    second.sender.stop();
    second.store.close();

    const third = setUp({ store: restart(path, new FakeClock()), handler: { answered: crash } });
    third.sender.start();
    expect(third.problems).toEqual([]);
  });

  it('stores the change an answer leads to together with the end of the answer', async () => {
    const { clock, store, client, sender } = setUp({
      handler: {
        answered: () => {
          store.meta.set('effect', 'half');
          throw new Error('in the middle');
        },
      },
    });
    store.outbox.append(note('a'));
    sender.start();
    await clock.settle();
    client.last().answer({ seen: 'a' });
    await clock.settle();
    expect(store.meta.get('effect')).toBeNull();
    expect(store.answers.pending()).toHaveLength(1);
  });
});
