import { describe, expect, it } from 'vitest';
import { MAX_OBSERVED_REQUESTS, startCapture } from '../../../../extension/background/capture/capture.ts';
import type { TrafficEvent } from '../../../../extension/background/traffic.ts';
import { TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../support/extension/test-site.ts';

const SEND = `${ORIGIN}/api/send`;
const STREAM = `${ORIGIN}/api/stream`;
const HANDOFF = { type: 'handoff', conversationId: 'c1' };

class CaptureScene {
  readonly env = new TestEnv();
  readonly events: TrafficEvent[] = [];

  constructor() {
    startCapture({ ...this.env.env, emit: (event) => this.events.push(event) });
  }

  get decoded(): object[] {
    return this.events.flatMap((event) => (event.type === 'decoded' ? event.event : []));
  }

  get ends(): (string | null)[] {
    return this.events.flatMap((event) => (event.type === 'ended' ? [event.error] : []));
  }
}

describe('a request of a chat page', () => {
  it('gives its send, its status, what its body says, and its end, in this order', () => {
    const { env, events } = new CaptureScene();
    env.request('r1', { url: SEND, method: 'POST', body: { text: 'hi' }, tabId: 7 });
    env.headers('r1', SEND, 200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    env.filter('r1').data(`${JSON.stringify(HANDOFF)}\n`);
    env.filter('r1').stop();
    env.completed('r1', SEND);
    const source = { platform: 'claude', tabId: 7, requestId: 'r1', role: 'send', at: env.clock.now() };
    expect(events).toMatchObject([
      { ...source, type: 'send', send: { text: 'hi' } },
      { ...source, type: 'status', status: 200, isChallenge: false, retryAfterMs: null },
      { ...source, type: 'decoded', event: HANDOFF },
      { ...source, type: 'ended', error: null },
    ]);
  });

  it('reaches the page before it is decoded, and also when the decoder fails', () => {
    const { env, decoded } = new CaptureScene();
    env.request('r1', { url: STREAM });
    env.headers('r1', STREAM);
    const filter = env.filter('r1');
    filter.data('half a line');
    filter.data('\nthrow\n');
    expect(filter.written).toEqual(['half a line', '\nthrow\n']);
    expect(filter.isDisconnected).toBe(true);
    expect(decoded).toEqual([]);
  });

  it('is opaque when its decoder fails', () => {
    const scene = new CaptureScene();
    scene.env.request('r1', { url: STREAM });
    scene.env.headers('r1', STREAM);
    scene.env.filter('r1').data('throw\n');
    expect(scene.decoded).toEqual([{ type: 'opaque', reason: 'decoder_failed' }]);
  });

  it('whose first bytes come before its headers is decoded as the headers say, and reaches the page at once', () => {
    const { env, events } = new CaptureScene();
    env.request('r1', { url: STREAM });
    env.filter('r1').data(`${JSON.stringify(HANDOFF)}\n`);
    expect([env.filter('r1').written.length, events]).toEqual([1, []]);
    env.headers('r1', STREAM, 200, { 'Content-Type': 'text/event-stream' });
    expect(events).toMatchObject([{ type: 'status' }, { type: 'decoded', event: HANDOFF }]);
  });

  it('whose body ends before its headers is decoded when they come', () => {
    const { env, events } = new CaptureScene();
    env.request('r1', { url: STREAM });
    env.filter('r1').data(`${JSON.stringify(HANDOFF)}\n`);
    env.filter('r1').stop();
    expect(events).toEqual([]);
    env.headers('r1', STREAM, 429);
    expect(events).toMatchObject([
      { type: 'status', status: 429 },
      { type: 'decoded', event: HANDOFF },
    ]);
    env.completed('r1', STREAM);
    expect(events.at(-1)).toMatchObject({ type: 'ended', error: null });
  });

  it('whose body breaks, and whose headers never come, is broken when it ends', () => {
    const scene = new CaptureScene();
    scene.env.request('r1', { url: STREAM });
    scene.env.filter('r1').error();
    expect(scene.decoded).toEqual([]);
    scene.env.failed('r1', STREAM);
    expect(scene.decoded).toEqual([{ type: 'incomplete', answer: null, reason: 'broken' }]);
    expect(scene.ends).toEqual(['NS_BINDING_ABORTED']);
  });

  it('ends when its body has ended, although the request is complete before', () => {
    const scene = new CaptureScene();
    scene.env.request('r1', { url: STREAM });
    scene.env.completed('r1', STREAM);
    scene.env.filter('r1').data(`${JSON.stringify(HANDOFF)}\n`);
    expect(scene.ends).toEqual([]);
    scene.env.filter('r1').stop();
    expect(scene.ends).toEqual([null]);
    expect(scene.decoded).toEqual([HANDOFF]);
  });

  it('ends within bounds when its body does not', () => {
    const scene = new CaptureScene();
    scene.env.request('r1', { url: STREAM });
    scene.env.failed('r1', STREAM);
    scene.env.clock.advance(60_000);
    expect(scene.ends).toEqual(['NS_BINDING_ABORTED']);
    expect(scene.env.filter('r1').isDisconnected).toBe(true);
  });

  it('is broken when its filter fails', () => {
    const scene = new CaptureScene();
    scene.env.request('r1', { url: STREAM });
    scene.env.headers('r1', STREAM);
    scene.env.filter('r1').error();
    expect(scene.decoded).toEqual([{ type: 'incomplete', answer: null, reason: 'broken' }]);
  });

  it('keeps its own state beside another one of the same tab', () => {
    const scene = new CaptureScene();
    for (const id of ['r1', 'r2']) {
      scene.env.request(id, { url: STREAM });
      scene.env.headers(id, STREAM);
    }
    const line = JSON.stringify(HANDOFF);
    scene.env.filter('r1').data(line.slice(0, 10));
    scene.env.filter('r2').data(`${line}\n`);
    scene.env.filter('r1').data(`${line.slice(10)}\n`);
    const decoded = scene.events.filter(({ type }) => type === 'decoded');
    expect(decoded.map(({ requestId }) => requestId)).toEqual(['r2', 'r1']);
  });

  it('begins again when it is redirected', () => {
    const scene = new CaptureScene();
    scene.env.request('r1', { url: SEND, method: 'POST', body: {} });
    scene.env.redirect('r1', SEND, STREAM);
    scene.env.request('r1', { url: STREAM });
    scene.env.completed('r1', STREAM);
    scene.env.filter('r1').stop();
    expect(scene.ends).toEqual(['redirected', null]);
  });

  it('is not read when it prepares a send and is not refused', () => {
    const url = `${ORIGIN}/api/prepare`;
    const scene = new CaptureScene();
    for (const [id, status] of [
      ['good', 200],
      ['refused', 429],
    ] as const) {
      scene.env.request(id, { url, method: 'POST' });
      scene.env.headers(id, url, status, { 'retry-after': '30' });
    }
    expect(scene.env.filter('good').isDisconnected).toBe(true);
    expect(scene.env.filter('refused').isDisconnected).toBe(false);
    expect(scene.events).toMatchObject([{ status: 200 }, { status: 429, retryAfterMs: 30_000 }]);
  });

  it('is drift when it is a send whose body is not known', () => {
    const scene = new CaptureScene();
    scene.env.request('r1', { url: SEND, method: 'POST' });
    expect(scene.decoded).toEqual([{ type: 'drift', what: 'send_body' }]);
    expect(scene.events.map(({ type }) => type)).not.toContain('send');
  });

  it('counts as a security check by its header, or when a page comes in its place', () => {
    const scene = new CaptureScene();
    const heads: [string, number, Record<string, string>][] = [
      ['a', 403, { 'cf-mitigated': 'challenge' }],
      ['b', 200, { 'content-type': 'text/html' }],
      ['c', 403, { 'content-type': 'application/json' }],
      ['d', 500, { 'content-type': 'text/html' }],
    ];
    for (const [id, status, headers] of heads) {
      scene.env.request(id, { url: STREAM });
      scene.env.headers(id, STREAM, status, headers);
    }
    const checks = scene.events.flatMap((event) => (event.type === 'status' ? [event.isChallenge] : []));
    expect(checks).toEqual([true, true, false, false]);
  });
});

describe('a request that is not the page’s own', () => {
  const FOREIGN = 'https://evil.example/';
  it.each([
    ['is made by another site', { documentUrl: FOREIGN, originUrl: FOREIGN }],
    ['is made by an extension', { documentUrl: undefined, originUrl: 'moz-extension://6f1c2f0e-1111-4222-8333-9/' }],
    ['is made by a document of the site inside another site', { frameId: 3, frameAncestors: [{ url: FOREIGN }] }],
    ['is made by a foreign frame in the page', { frameId: 3, documentUrl: FOREIGN, originUrl: FOREIGN }],
    ['is made by a foreign document without an initiator', { documentUrl: FOREIGN, originUrl: undefined }],
    ['has a foreign initiator in a document of the site', { originUrl: FOREIGN }],
    ['belongs to a tab without a document', { documentUrl: undefined, tabId: 4 }],
    ['is a navigation', { type: 'main_frame' }],
    ['has an unknown purpose', { url: `${ORIGIN}/api/other` }],
    ['goes to another address', { url: `${FOREIGN}api/send` }],
  ])('is not looked at when it %s', (_what, details) => {
    const { env, events } = new CaptureScene();
    env.request('r1', { url: SEND, method: 'POST', body: {}, ...details });
    expect(events).toEqual([]);
    expect(env.filters.size).toBe(0);
  });

  it('counts when it is made by the service worker of the site, or by a frame of the site in the site', () => {
    const { env } = new CaptureScene();
    env.request('worker', { url: STREAM, tabId: -1, documentUrl: undefined, originUrl: `${ORIGIN}/sw.js` });
    env.request('frame', { url: STREAM, frameId: 3, frameAncestors: [{ url: `${ORIGIN}/` }] });
    expect([...env.filters.keys()]).toEqual(['worker', 'frame']);
  });
});

it('observes a bounded number of requests: a further one ends the observation of the oldest', () => {
  const scene = new CaptureScene();
  for (let n = 0; n <= MAX_OBSERVED_REQUESTS; n += 1) scene.env.request(`r${n}`, { url: STREAM });
  expect(scene.env.filter('r0').isDisconnected).toBe(true);
  expect(scene.env.filter('r1').isDisconnected).toBe(false);
  expect(scene.decoded).toEqual([{ type: 'drift', what: 'too_many_requests' }]);
  expect(scene.ends).toEqual(['not_observed']);
});

describe('bodies of a page that asks for much', () => {
  const READ = `${ORIGIN}/api/read`;
  const MIB = 1024 * 1024;
  const refused = { type: 'opaque', reason: 'too_much_to_read' };

  /** A body that the page receives, of which nothing has ended. */
  function body(env: TestEnv, requestId: string, url: string, length: number) {
    env.request(requestId, { url });
    env.headers(requestId, url);
    const filter = env.filter(requestId);
    filter.zeros(length);
    return filter;
  }

  it('are not held together without bound, and the page gets each of them all the same', () => {
    const scene = new CaptureScene();
    const { env } = scene;
    const first = body(env, 'r1', READ, 40 * MIB);
    body(env, 'r2', READ, 40 * MIB);
    expect(scene.decoded).toEqual([]);
    const third = body(env, 'r3', READ, 40 * MIB);
    expect(scene.decoded).toEqual([refused]);
    expect([third.bytes, third.isDisconnected]).toEqual([40 * MIB, true]);
    first.stop();
    body(env, 'r4', READ, 40 * MIB);
    expect(scene.decoded).toEqual([refused]);
  });

  it('are not parsed one after the other without bound, but again after a minute', () => {
    const scene = new CaptureScene();
    const { env } = scene;
    for (let n = 0; n < 6; n += 1) body(env, `r${n}`, READ, 40 * MIB).stop();
    expect(scene.decoded).toEqual([]);
    body(env, 'r7', READ, 40 * MIB);
    expect(scene.decoded).toEqual([refused]);
    env.clock.advance(60_000);
    body(env, 'r8', READ, 40 * MIB);
    expect(scene.decoded).toEqual([refused]);
  });

  it('do not keep an answer on a stream from being read', () => {
    const scene = new CaptureScene();
    body(scene.env, 'r1', READ, 90 * MIB);
    body(scene.env, 'r2', STREAM, 10 * MIB).data(`\n${JSON.stringify(HANDOFF)}\n`);
    expect(scene.decoded).not.toContainEqual(refused);
  });

  it('of sends are not read without bound either', () => {
    const { env, events } = new CaptureScene();
    const bytes = new ArrayBuffer(8 * MIB);
    for (let n = 0; n < 32; n += 1) env.request(`r${n}`, { url: SEND, method: 'POST', bytes });
    const send = (requestId: string) => env.request(requestId, { url: SEND, method: 'POST', body: { text: 'hi' } });
    send('late');
    expect(events.filter(({ type }) => type === 'send')).toEqual([]);
    env.clock.advance(60_000);
    send('later');
    expect(events.filter(({ type }) => type === 'send')).toHaveLength(1);
  });
});
