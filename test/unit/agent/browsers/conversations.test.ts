import { describe, expect, it } from 'vitest';
import { Conversations } from '../../../../local-agent/browsers/conversations.ts';
import type { EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { conversation } from '../bridge/fixture.ts';

const C1 = { platform: 'chatgpt', conversation_id: 'c1' } as const;

/** An edge whose responses a test gives. */
function slowEdge() {
  const requests: { path: string; respond: (data: unknown) => void; fail: (error: Error) => void }[] = [];
  const call = <T>({ path, schema }: EdgeRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      requests.push({ path, respond: (data) => resolve(schema.parse(data)), fail: reject });
    });
  return { call, requests };
}

const page = (...items: unknown[]) => ({ items, next_cursor: null });

describe('conversations of the edge', () => {
  it('a conversation is looked up once while a look-up is in flight', async () => {
    const edge = slowEdge();
    const conversations = new Conversations(edge, { warn: () => undefined });
    const learning = Promise.all([conversations.learn([C1]), conversations.learn([C1]), conversations.learn([C1])]);
    expect(edge.requests).toHaveLength(1);
    edge.requests[0]?.respond(page(conversation()));
    await learning;
    await conversations.learn([C1]);
    expect(edge.requests).toHaveLength(1);
    expect(conversations.find(C1)?.local_conversation_id).toBe('lc_1');
  });

  it('a conversation is looked up again when it may have appeared after the request had left', async () => {
    const edge = slowEdge();
    const conversations = new Conversations(edge, { warn: () => undefined });
    const learning = conversations.learn([C1]);
    await conversations.learn([C1]);
    edge.requests[0]?.respond(page());
    await expect.poll(() => edge.requests.length).toBe(2);
    edge.requests[1]?.respond(page(conversation()));
    await learning;
    expect(conversations.find(C1)?.local_conversation_id).toBe('lc_1');
  });

  it('a conversation whose look-up has failed is found by the next one', async () => {
    const edge = slowEdge();
    const warned: unknown[] = [];
    const conversations = new Conversations(edge, { warn: (entry: unknown) => void warned.push(entry) });
    const failing = conversations.learn([C1]);
    edge.requests[0]?.fail(new Error('no edge'));
    await failing;
    expect(warned).toHaveLength(1);
    const learning = conversations.learn([C1]);
    edge.requests[1]?.respond(page(conversation()));
    await learning;
    expect(conversations.find(C1)).not.toBeNull();
  });

  it('a conversation is not taken for one with the same id on another platform', async () => {
    const edge = slowEdge();
    const conversations = new Conversations(edge, { warn: () => undefined });
    const learning = conversations.learn([C1]);
    edge.requests[0]?.respond(page(conversation({ platform: 'claude' })));
    await learning;
    expect(conversations.find(C1)).toBeNull();
  });
});
