import { describe, expect, it } from 'vitest';
import { Conversations } from '../../../../local-agent/browsers/conversations.ts';
import type { EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { conversation } from './fixture.ts';

const C1 = { platform: 'chatgpt', conversation_id: 'c1' } as const;

/** An edge that answers when told. */
function slowEdge() {
  const asked: { path: string; answer: (data: unknown) => void; fail: (error: Error) => void }[] = [];
  const call = <T>({ path, schema }: EdgeRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      asked.push({ path, answer: (data) => resolve(schema.parse(data)), fail: reject });
    });
  return { call, asked };
}

const page = (...items: unknown[]) => ({ items, next_cursor: null });

describe('conversations of the edge', () => {
  it('are asked for once while the answer is under way', async () => {
    const edge = slowEdge();
    const conversations = new Conversations(edge, { warn: () => undefined });
    const learning = Promise.all([conversations.learn([C1]), conversations.learn([C1]), conversations.learn([C1])]);
    expect(edge.asked).toHaveLength(1);
    edge.asked[0]?.answer(page(conversation()));
    await learning;
    await conversations.learn([C1]);
    expect(edge.asked).toHaveLength(1);
    expect(conversations.find(C1)?.local_conversation_id).toBe('lc_1');
  });

  it('are asked for again when one may have appeared after the question had left', async () => {
    const edge = slowEdge();
    const conversations = new Conversations(edge, { warn: () => undefined });
    const learning = conversations.learn([C1]);
    await conversations.learn([C1]);
    edge.asked[0]?.answer(page());
    await expect.poll(() => edge.asked.length).toBe(2);
    edge.asked[1]?.answer(page(conversation()));
    await learning;
    expect(conversations.find(C1)?.local_conversation_id).toBe('lc_1');
  });

  it('are found by the next question when one has failed', async () => {
    const edge = slowEdge();
    const warned: unknown[] = [];
    const conversations = new Conversations(edge, { warn: (entry: unknown) => void warned.push(entry) });
    const failing = conversations.learn([C1]);
    edge.asked[0]?.fail(new Error('no edge'));
    await failing;
    expect(warned).toHaveLength(1);
    const learning = conversations.learn([C1]);
    edge.asked[1]?.answer(page(conversation()));
    await learning;
    expect(conversations.find(C1)).not.toBeNull();
  });

  it('are not taken for another one of the same name on another platform', async () => {
    const edge = slowEdge();
    const conversations = new Conversations(edge, { warn: () => undefined });
    const learning = conversations.learn([C1]);
    edge.asked[0]?.answer(page(conversation({ platform: 'claude' })));
    await learning;
    expect(conversations.find(C1)).toBeNull();
  });
});
