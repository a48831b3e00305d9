import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { EdgeClient, EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { OutboxSender } from '../../../../local-agent/edge/outbox-sender.ts';
import type { ResponseHandler } from '../../../../local-agent/edge/response-handlers.ts';
import { openStore } from '../../../../local-agent/store/store.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

/** A sender over a new store, and an edge that responds as `respond` says, or with success. */
function setUp(respond: (key: string) => EdgeError | null, handler: Partial<ResponseHandler> = {}) {
  const clock = new TestClock();
  let outboxes = 0;
  const newOutboxId = () => {
    outboxes += 1;
    return `box${outboxes}`;
  };
  const path = join(tempDir(), 'agent.sqlite');
  const open = () => openStore(path, { now: () => clock.now(), newOutboxId });
  const store = open();
  const keys: string[] = [];
  const client: EdgeClient = {
    async call<T>(request: EdgeRequest<T>): Promise<T> {
      const key = request.idempotencyKey ?? '';
      keys.push(key);
      const refusal = respond(key);
      if (refusal !== null) throw refusal;
      return request.schema.parse({});
    },
    close: async () => undefined,
  };
  const problems: string[] = [];
  const note: ResponseHandler = { schema: z.object({}), onResponse: () => undefined, ...handler };
  const sender = new OutboxSender({
    store,
    client,
    handlers: new Map([['note', note]]),
    clock,
    random: () => 1,
    maySend: () => true,
    onProblem: (message) => problems.push(message),
  });
  const append = (text: string, stream = 'node') =>
    store.outbox.append({ stream, kind: 'note', method: 'POST', path: '/v1/notes', body: { text }, context: {} });
  return { clock, store, open, sender, keys, problems, append };
}

const refused = (code: string, status = 409) => new EdgeError('status', status, code, 'no');

it('an outbox whose rows another file has sent continues under a new id, also after a restart, and loses nothing', async () => {
  const { clock, store, open, sender, keys, problems, append } = setUp((key) =>
    key.startsWith('box1/') ? refused('outbox_conflict') : null,
  );
  append('a', 'conv:1');
  append('b', 'conv:1');
  append('c', 'conv:2');
  sender.start();
  await clock.flush();
  expect(keys.filter((key) => key.startsWith('box2/')).sort()).toEqual([
    'box2/conv:1/1',
    'box2/conv:1/2',
    'box2/conv:2/1',
  ]);
  expect(store.outbox.pendingCount()).toBe(0);
  expect(store.outbox.refused(10)).toEqual([]);
  expect(problems).toEqual(['the state folder is a copy or was restored: its outbox continues under a new id']);
  sender.stop();
  store.close();
  const again = open();
  expect(again.outbox.outboxId).toBe('box2');
  again.close();
});

it('a row that is refused as copied under the new id as well is kept as refused, and its stream continues', async () => {
  const { clock, store, sender, keys, append } = setUp((key) =>
    key.endsWith('/1') ? refused('outbox_conflict') : null,
  );
  append('a');
  append('b');
  sender.start();
  await clock.flush();
  expect(keys).toEqual(['box1/node/1', 'box2/node/1', 'box2/node/2']);
  expect(store.outbox.refused(10)).toMatchObject([{ refusal: { code: 'outbox_conflict' } }]);
});

it('a row whose refusal its handler waits for is sent again, and nothing is lost', async () => {
  let isMoved = false;
  const { clock, store, sender, keys, append } = setUp(() => (isMoved ? null : refused('client_of_other_node', 403)), {
    waitsFor: ['client_of_other_node'],
  });
  append('a');
  sender.start();
  await clock.flush();
  expect([keys.length, store.outbox.pendingCount(), store.outbox.refused(10)]).toEqual([1, 1, []]);
  isMoved = true;
  sender.wake();
  await clock.flush();
  expect(store.outbox.pendingCount()).toBe(0);
});
