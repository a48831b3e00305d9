import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { SystemEvent } from '../../../schema/contracts/events.ts';
import { ORIGIN, rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
const AUTHORIZED = { authorization: `Bearer ${env.BAA_BOOTSTRAP_TOKEN}` };

interface StreamedEvent {
  id?: string;
  event?: string;
  data?: SystemEvent;
}

function parse(text: string): StreamedEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))))
    .map(({ id, event, data }) => ({
      ...(id === undefined ? {} : { id }),
      ...(data === undefined ? {} : { event, data: JSON.parse(data) as SystemEvent }),
    }));
}

/** The events that the stream sends at once. */
async function readStream(query: string, headers: Record<string, string> = {}) {
  const { status, text } = await edge.call('GET', `/v1/events?wait_ms=0${query}`, { headers });
  expect(status, text).toBe(200);
  return parse(text);
}

describe('the event stream', () => {
  it('a resumed stream sends every later event once, in order', async () => {
    const [start] = await readStream('');
    for (const verb of ['pause', 'drain', 'resume']) await edge.data('POST', `/v1/system/${verb}`);
    const [hello, ...events] = await readStream('', { 'last-event-id': start?.id ?? '' });
    expect(hello).toEqual({ id: start?.id });
    expect(events.map(({ data }) => data?.subject_id)).toEqual(['paused', 'draining', 'running']);
    for (const { id, event, data } of events) expect({ id, event }).toEqual({ id: String(data?.seq), event: 'system' });
    const [, ...rest] = await readStream('', { 'last-event-id': events[1]?.id ?? '' });
    expect(rest.map(({ data }) => data?.subject_id)).toEqual(['running']);
  });

  it('a stream that is far behind ends before the free plan would end it, and is resumed where it ended', async () => {
    const [start] = await readStream('');
    await edge.data('POST', '/v1/system/pause');
    await rowsOf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO event_batches (seq, at, events)
      SELECT seq + i, at, events FROM event_batches JOIN n WHERE seq = (SELECT max(seq) FROM event_batches)`);
    let at = Number(start?.id);
    const counts: number[] = [];
    for (let streams = 0; streams < 2; streams += 1) {
      const [, ...events] = await readStream('', { 'last-event-id': String(at) });
      expect(events[0]?.id).toBe(String(at + 1));
      at = Number(events.at(-1)?.id);
      counts.push(events.length);
    }
    expect(counts[0]).toBeLessThan(50 * 200);
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[0] ?? 0).toBe(10_001 - (counts[1] ?? 0));
    await edge.data('POST', '/v1/system/resume');
  });

  it('a stream without an id starts with the next event', async () => {
    await edge.data('POST', '/v1/system/pause');
    expect(await readStream('')).toHaveLength(1);
    await edge.data('POST', '/v1/system/resume');
  });

  it('a stream with topics sends only those', async () => {
    const [start] = await readStream('');
    await edge.data('POST', '/v1/system/pause');
    await edge.mint('readonly');
    const [, ...events] = await readStream(`&topics=tokens&last_event_id=${start?.id}`);
    expect(events.map(({ event }) => event)).toEqual(['tokens']);
    await edge.data('POST', '/v1/system/resume');
  });

  it('the last event of a commit carries the id, so that a stream that is cut before it repeats the commit', async () => {
    const [start] = await readStream('');
    const ofCommit = (['messages', 'instructions', 'messages'] as const).map((topic, n) => ({
      topic,
      type: 'happened',
      subject_id: String(n),
      data: {},
    }));
    await rowsOf('INSERT INTO event_batches (at, events) VALUES (5, ?)', JSON.stringify(ofCommit));
    const seq = Number(start?.id) + 1;
    const [, ...events] = await readStream(`&last_event_id=${start?.id}`);
    expect(events.map(({ data }) => data)).toEqual(ofCommit.map((event) => ({ seq, at: 5, ...event })));
    expect(events.map(({ id }) => id)).toEqual([undefined, undefined, String(seq)]);
    const [, ...some] = await readStream(`&topics=instructions&last_event_id=${start?.id}`);
    expect(some.map(({ id, data }) => [id, data?.subject_id])).toEqual([[String(seq), '1']]);
  });

  it('an open stream sends events as they happen', async () => {
    const response = await edge.fetch('/v1/events', { headers: AUTHORIZED }, false);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!reader) throw new Error('no stream');
    let text = (await reader.read()).value ?? '';
    await edge.data('POST', '/v1/system/pause');
    while (!text.includes('mode_changed')) text += (await reader.read()).value ?? '';
    expect(parse(text).at(-1)?.data).toMatchObject({ topic: 'system', subject_id: 'paused' });
    await reader.cancel();
    await edge.data('POST', '/v1/system/resume');
  });

  it('a client that names an event beyond the newest is asked to read everything again, and then gets the next events', async () => {
    const [start] = await readStream('');
    const beyond = String(Number(start?.id) + 1_000);
    const [hello, reset, ...rest] = await readStream('', { 'last-event-id': beyond });
    expect([hello, reset, rest]).toEqual([
      { id: start?.id },
      { id: start?.id, event: 'reset', data: { seq: Number(start?.id) } },
      [],
    ]);
    await edge.data('POST', '/v1/system/pause');
    const [, ...events] = await readStream('', { 'last-event-id': reset?.id ?? '' });
    expect(events.map(({ data }) => data?.subject_id)).toEqual(['paused']);
    await edge.data('POST', '/v1/system/resume');
  });

  it('a client that missed events which were deleted is asked to read everything again', async () => {
    const [start] = await readStream('');
    for (const verb of ['pause', 'resume']) await edge.data('POST', `/v1/system/${verb}`);
    await rowsOf('DELETE FROM event_batches WHERE seq <= ?', Number(start?.id) + 1);
    const [, reset] = await readStream('', { 'last-event-id': start?.id ?? '' });
    expect(reset?.event).toBe('reset');
    const [, next] = await readStream('', { 'last-event-id': String(Number(start?.id) + 1) });
    expect(next?.data?.subject_id).toBe('running');
  });

  it.each(['revoked', 'rotated'])('an open stream ends, without another event, when its token is %s', async (how) => {
    const { token, token_id } = await edge.mint('readonly');
    const response = await edge.fetch('/v1/events', { headers: { authorization: `Bearer ${token}` } }, false);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!reader) throw new Error('no stream');
    let text = (await reader.read()).value ?? '';
    if (how === 'revoked') await edge.data('DELETE', `/v1/tokens/${token_id}`);
    else await edge.data('POST', `/v1/tokens/${token_id}/rotate`, { body: {} });
    await edge.data('POST', '/v1/system/pause');
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    expect(text).not.toContain('paused');
    await edge.data('POST', '/v1/system/resume');
  });

  it('an open stream ends, without another event, when its session is signed out', async () => {
    const { token } = await edge.mint('readonly');
    const signedIn = await edge.call('POST', '/v1/session', { token: null, body: { token } });
    const [cookie = ''] = (signedIn.headers.get('set-cookie') ?? '').split(';');
    const response = await edge.fetch('/v1/events', { headers: { cookie } }, false);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (!reader) throw new Error('no stream');
    let text = (await reader.read()).value ?? '';
    await edge.data('DELETE', '/v1/session', { token: null, headers: { cookie, origin: ORIGIN } });
    await edge.data('POST', '/v1/system/pause');
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    expect(text).not.toContain('paused');
    await edge.data('POST', '/v1/system/resume');
  });

  it('an invalid id, topic or time is refused by name', async () => {
    const refusals: [query: string, headers: Record<string, string>, field: string][] = [
      ['', { 'last-event-id': 'yesterday' }, 'last-event-id'],
      ['?topics=gossip', {}, 'topics'],
      ['?wait_ms=90000', {}, 'wait_ms'],
      ['?last_event_id=-1', {}, 'last_event_id'],
    ];
    for (const [query, headers, field] of refusals) {
      expect(await edge.error('GET', `/v1/events${query}`, { headers })).toMatchObject({ details: { field } });
    }
  });
});
