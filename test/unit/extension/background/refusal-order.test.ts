/** The browser gives headers, body and end of a response in several orders: a refusal means the same in each. */
import { describe, expect, it } from 'vitest';
import { startCapture } from '../../../../extension/background/capture/capture.ts';
import type { Evidence } from '../../../../extension/background/deliveries/evidence.ts';
import { judge, noEvidence, withTraffic } from '../../../../extension/background/deliveries/evidence.ts';
import { SITES } from '../../../../extension/sites/registry.ts';
import { TestEnv } from '../../../support/extension/test-env.ts';

const TAB = 7;
const SENT = { tabId: TAB, conversationId: null, text: 'hi' };
const NOW = 1_790_000_000_000;
const WAIT_S = 1_234;

interface RefusedSend {
  url: string;
  body: object;
  refusal: object;
}

const CHATGPT: RefusedSend = {
  url: 'https://chatgpt.com/backend-api/f/conversation',
  body: {
    action: 'next',
    messages: [{ id: crypto.randomUUID(), author: { role: 'user' }, content: { content_type: 'text', parts: ['hi'] } }],
  },
  refusal: { detail: { message: 'limit', clears_in: WAIT_S } },
};

const CLAUDE: RefusedSend = {
  url: `https://claude.ai/api/organizations/${crypto.randomUUID()}/chat_conversations/${crypto.randomUUID()}/completion`,
  body: { prompt: 'hi', turn_message_uuids: {} },
  refusal: {
    error: {
      type: 'rate_limit_error',
      message: JSON.stringify({ type: 'exceeded_limit', resetsAt: NOW / 1_000 + WAIT_S }),
    },
  },
};

type Step = 'headers' | 'body' | 'bodyEnd' | 'end';
const ORDERS: Step[][] = [
  ['headers', 'body', 'bodyEnd', 'end'],
  ['body', 'headers', 'bodyEnd', 'end'],
  ['body', 'bodyEnd', 'headers', 'end'],
  ['headers', 'end', 'body', 'bodyEnd'],
];

/** Plays the request of the page and its response. Returns what a delivery may end with after any of the events. */
function ends(send: RefusedSend, order: readonly Step[]): object[] {
  const env = new TestEnv({ sites: [...SITES] });
  let evidence: Evidence = noEvidence(NOW);
  startCapture({
    ...env.env,
    emit: (event) => {
      evidence = withTraffic(evidence, { ...event, at: NOW }, SENT);
    },
  });
  const page = new URL('/', send.url).href;
  const request = { url: send.url, method: 'POST', body: send.body, tabId: TAB };
  env.request('r1', { ...request, documentUrl: page, originUrl: page });
  const play: Record<Step, () => void> = {
    headers: () => env.headers('r1', send.url, 429, { 'content-type': 'application/json' }),
    body: () => env.filter('r1').data(JSON.stringify(send.refusal)),
    bodyEnd: () => env.filter('r1').stop(),
    end: () => env.completed('r1', send.url),
  };
  return order.flatMap((step) => {
    play[step]();
    const judgement = judge(evidence, SENT, NOW, NOW + 60_000);
    return judgement.type === 'wait' ? [] : judgement.end;
  });
}

describe.each([
  ['ChatGPT', CHATGPT],
  ['Claude', CLAUDE],
])('a refusal of %s with the end of a limit in its body', (_site, send) => {
  it.each(ORDERS.map((order) => ({ order })))('is never judged without it in the order $order', ({ order }) => {
    const all = ends(send, order);
    expect(all).not.toEqual([]);
    for (const end of all)
      expect(end).toMatchObject({ reason: 'rate_limited', httpStatus: 429, retryAfterMs: WAIT_S * 1_000 });
  });
});

it.each([429, 529])('a refusal with %s whose body does not end is judged by the deadline of the delivery', (status) => {
  const source = { platform: 'chatgpt', tabId: TAB, requestId: 'r1', role: 'send', at: NOW } as const;
  const evidence = withTraffic(
    noEvidence(NOW),
    { ...source, type: 'status', status, isChallenge: false, retryAfterMs: null },
    SENT,
  );
  const endBy = NOW + 500;
  expect(judge(evidence, SENT, NOW, endBy)).toEqual({ type: 'wait', until: endBy });
  expect(judge(evidence, SENT, endBy, endBy).type).toBe('end');
});
