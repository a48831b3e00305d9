import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { leaderLease, nodeHub } from '../../../durable-objects/stubs.ts';
import { CLOSE } from '../../../schema/contracts/channel-frames.ts';
import { HEADER } from '../../../schema/contracts/common.ts';
import { CHANNEL } from '../../../schema/defaults.ts';
import { freshEdge, hubStub, TestNode } from './support.ts';

const hub = nodeHub(env, 'a');
const upgrade = { upgrade: 'websocket' };

beforeEach(freshEdge);

describe('the upgrade to a channel', () => {
  it('is refused without the node that the Worker has authenticated, which no client can set itself', async () => {
    const anonymous = await hubStub().fetch('https://hub/', { headers: upgrade });
    expect(anonymous.status).toBe(400);
    await anonymous.body?.cancel();
    const forged = new Request('https://hub/', { headers: { ...upgrade, [HEADER.controller_id]: 'victim' } });
    const response = await hub.fetch(forged, null);
    response.webSocket?.accept();
    expect(await hub.presence(['victim', 'a'])).toMatchObject({ victim: { connected: false }, a: { connected: true } });
  });

  it('is required: another request gets 426', async () => {
    const response = await hub.fetch(new Request('https://hub/'), null);
    expect([response.status, response.headers.get('upgrade')]).toEqual([426, 'websocket']);
    await response.body?.cancel();
  });
});

describe('a frame', () => {
  it.each([
    ['text that is not JSON', '{', null],
    ['an unknown type', JSON.stringify({ type: 'dance' }), 'dance'],
    ['a known type with a wrong field', JSON.stringify({ type: 'lease.renew', term: -1, ttl_sec: 30 }), 'lease.renew'],
    ['a TTL out of bounds', JSON.stringify({ type: 'lease.renew', term: 1, ttl_sec: 5 }), 'lease.renew'],
    ['a list', '[]', null],
    ['bytes', new Uint8Array([1, 2]).buffer, null],
    ['nested 100,000 levels deep', `{"type":"receipt","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, null],
    ['an error with an endless code', JSON.stringify({ type: 'error', re: null, code: 'x'.repeat(200_000) }), 'error'],
    ['an error about an endless type', JSON.stringify({ type: 'error', re: 'x'.repeat(200_000), code: 'x' }), 'error'],
  ])('that is %s gets an error, and the socket stays open', async (_name, frame, re) => {
    const node = await TestNode.connect('a');
    node.sendRaw(frame);
    expect(await node.next('error')).toEqual({ type: 'error', re, code: 'invalid_request' });
    expect((await node.hello()).type).toBe('hello_ack');
  });

  it.each([
    ['in characters', 'x'.repeat(CHANNEL.max_frame_bytes + 1)],
    ['in bytes', '維'.repeat(Math.floor(CHANNEL.max_frame_bytes / 3) + 1)],
  ])('over the limit %s gets an error, and the socket is closed', async (_name, frame) => {
    const node = await TestNode.connect('a');
    node.sendRaw(frame);
    expect(await node.next('error')).toEqual({ type: 'error', re: null, code: 'payload_too_large' });
    expect(await node.closed).toBe(CLOSE.too_big);
  });

  it('at the size limit is read', async () => {
    const node = await TestNode.connect('a');
    node.sendRaw('x'.repeat(CHANNEL.max_frame_bytes));
    expect(await node.next('error')).toMatchObject({ code: 'invalid_request' });
  });

  it('beyond the limit of its second gets an error, and the socket is closed', async () => {
    const node = await TestNode.connect('a');
    for (let count = 0; count <= 2 * CHANNEL.max_frames_per_sec; count += 1) node.sendRaw('{}');
    expect(await node.closed).toBe(CLOSE.too_fast);
    for (;;) {
      const error = await node.next('error');
      if (error.code === 'rate_limited') break;
      expect(error.code).toBe('invalid_request');
    }
  });
});

describe('a hub that hibernated', () => {
  it('has the node and the hello of each socket when it wakes', async () => {
    const [a, b] = [await TestNode.connect('a'), await TestNode.connect('b')];
    await a.hello({ priority: 100 });
    await b.hello({ priority: 50 });
    await evictDurableObject(hubStub(), { webSockets: 'hibernate' });
    a.send({ type: 'lease.renew', term: 0, ttl_sec: 30 });
    expect(await a.next('lease.result')).toMatchObject({ is_leader: false });
    expect(await hub.push('b', { type: 'changed', topic: 'approvals', ids: [] })).toBe(true);
    await b.next('changed');
    await leaderLease(env).acquire({ controller_id: 'a', host: 'h', ttl_sec: 30 });
    expect(await b.next('lease.changed')).toMatchObject({ candidate: true, lease: { holder_id: 'a' } });
  });
});
