import { describe, expect, it } from 'vitest';
import { CLAUDE_WIRE } from '../../../../../extension/sites/claude/wire.ts';
import { protobuf } from '../../../../support/sites/claude/protobuf.ts';
import { CONVERSATION, CONVERSATIONS, decodeAll, HUMAN, head, ORGANIZATION, OTHER, RPC, SEND } from './ids.ts';

type Change = Partial<Omit<Parameters<typeof head>[0], 'url'>>;
const COMPLETION = `${CONVERSATIONS}/${CONVERSATION}/completion`;

function respond(url: string, change: Change, body: string | Uint8Array | object = '') {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const bytes = Buffer.from(isRaw ? (body as string) : JSON.stringify(body));
  return decodeAll(CLAUDE_WIRE.decoder(head({ url, contentType: 'application/json', ...change })), [bytes]);
}
const refuse = (status: number, error: object, change: Change = {}) =>
  respond(COMPLETION, { status, send: SEND, ...change }, { type: 'error', error });

describe('A refused send of claude.ai', () => {
  it('is a limit with its reset when the message holds one', () => {
    const message = JSON.stringify({
      type: 'exceeded_limit',
      resetsAt: 1_795_600_000,
      representativeClaim: 'five_hour',
      windows: {},
    });
    expect(refuse(429, { type: 'rate_limit_error', message })).toEqual([
      { type: 'limit', resetsInMs: null, resetsAt: 1_795_600_000_000, reason: 'five_hour' },
    ]);
  });

  it('is a limit without a time when requests came too fast, unless a header says when to retry', () => {
    const burst = {
      type: 'rate_limit_error',
      message: 'Number of concurrent connections has exceeded your rate limit',
    };
    const limit = { type: 'limit', resetsInMs: null, resetsAt: null, reason: 'rate_limit' };
    expect(refuse(429, burst)).toEqual([limit]);
    expect(refuse(429, burst, { headers: { 'retry-after': '20' } })).toEqual([{ ...limit, resetsInMs: 20_000 }]);
    expect(respond(COMPLETION, { status: 429, send: SEND }, 'Too many')).toEqual([limit]);
  });

  it('has been taken before when its ids are known', () => {
    expect(refuse(409, { type: 'conflict', message: 'exists' })).toEqual([
      { type: 'accepted', conversationId: CONVERSATION, userMessageId: HUMAN },
    ]);
  });

  it('is refused when it was wrong, and failed when the server was at fault', () => {
    const refused = { type: 'refused', conversationId: CONVERSATION, userMessageId: HUMAN };
    expect(refuse(400, { type: 'invalid_request_error', message: 'prompt is too long' })).toEqual([
      { ...refused, reason: 'invalid_request_error' },
    ]);
    expect(respond(COMPLETION, { status: 413, send: SEND }, '')).toEqual([{ ...refused, reason: 'http_413' }]);
    expect(refuse(529, { type: 'overloaded_error', message: 'Overloaded' })).toEqual([
      { type: 'error', reason: 'overloaded' },
    ]);
    expect(respond(COMPLETION, { status: 529, send: SEND }, 'no json')).toEqual([
      { type: 'error', reason: 'overloaded' },
    ]);
    expect(respond(COMPLETION, { status: 502, send: SEND }, '')).toEqual([{ type: 'error', reason: 'http_502' }]);
  });

  it('is signed out when the session is invalid', () => {
    const invalid = { type: 'permission_error', message: 'Words', details: { error_code: 'account_session_invalid' } };
    expect(refuse(403, invalid)).toEqual([{ type: 'signed_out' }]);
    expect(refuse(403, { type: 'account_session_invalid', message: 'Words' })).toEqual([{ type: 'signed_out' }]);
    expect(refuse(401, { type: 'authentication_error', message: 'Words' })).toEqual([{ type: 'signed_out' }]);
    expect(respond(COMPLETION, { status: 401, send: SEND }, '')).toEqual([{ type: 'signed_out' }]);
  });

  it('is a security check by its header, or by a page where data was due, with any status', () => {
    const html = '<html><title>Just a moment…</title></html>';
    expect(respond(COMPLETION, { status: 403, headers: { 'cf-mitigated': 'challenge' } }, html)).toEqual([
      { type: 'challenge' },
    ]);
    for (const status of [200, 403, 503]) {
      expect(respond(COMPLETION, { status, contentType: 'text/html' }, html)).toEqual([{ type: 'challenge' }]);
    }
  });

  it('reads the errors of the Connect interface', () => {
    const action = (status: number, body: object) => respond(`${RPC}/PerformAction`, { status, send: SEND }, body);
    const refused = { type: 'refused', conversationId: CONVERSATION, userMessageId: HUMAN };
    expect(action(403, { code: 'permission_denied', message: 'Words' })).toEqual([
      { ...refused, reason: 'permission_denied' },
    ]);
    expect(action(400, { code: 'failed_precondition' })).toEqual([{ ...refused, reason: 'failed_precondition' }]);
    expect(action(429, { code: 'resource_exhausted' })).toEqual([
      { type: 'limit', resetsInMs: null, resetsAt: null, reason: 'resource_exhausted' },
    ]);
    expect(action(401, { code: 'unauthenticated' })).toEqual([{ type: 'signed_out' }]);
    expect(action(503, { code: 'unavailable' })).toEqual([{ type: 'error', reason: 'unavailable' }]);
  });

  it('is no failure of a turn when the request was none', () => {
    const timeline = respond(`${RPC}/StreamTimeline`, { role: 'stream', status: 403 }, { code: 'permission_denied' });
    expect(timeline).toEqual([{ type: 'opaque', reason: 'permission_denied' }]);
    expect(respond(`${RPC}/PerformAction`, { status: 403 }, { code: 'permission_denied' })).toEqual(timeline);
  });

  it('never puts words of the site into a reason', () => {
    expect(refuse(400, { type: 'see <b>this</b> text', message: 'hello' })).toMatchObject([{ reason: 'http_400' }]);
  });
});

describe('The response to an action', () => {
  const action = (body: Uint8Array, change: Change = {}) =>
    respond(`${RPC}/PerformAction`, { contentType: 'application/proto', send: SEND, ...change }, body);

  it('says nothing when it is empty, as the acknowledgement comes on the timeline', () => {
    expect(action(new Uint8Array())).toEqual([]);
  });

  it('may hold the acknowledgement', () => {
    expect(action(protobuf({ 1: { 1: { 1: 's', 2: 1 }, 2: true } }))).toEqual([
      { type: 'accepted', conversationId: CONVERSATION, userMessageId: HUMAN },
    ]);
    expect(action(protobuf({ 1: { 3: { 1: { 1: 'stale_parent' } } } }))).toEqual([
      { type: 'refused', conversationId: CONVERSATION, userMessageId: HUMAN, reason: 'stale_parent' },
    ]);
    expect(action(protobuf({ 1: { 2: true } }), { send: null })).toEqual([]);
  });
});

describe('The account of claude.ai', () => {
  const organization = (uuid: string, capabilities: string[]) => ({
    organization: { uuid, name: 'Secret', capabilities },
  });
  const account = (...memberships: object[]) => ({ uuid: OTHER, email_address: 'a@example.com', memberships });
  const read = (url: string, change: Change, body: object | string) =>
    respond(`https://claude.ai${url}`, { role: 'account', ...change }, body);

  it('is its id and the only organisation for chats', () => {
    const one = account(organization(ORGANIZATION, ['chat', 'x']), organization(CONVERSATION, ['api']));
    expect(read('/api/account', {}, one)).toEqual([{ type: 'account', account: OTHER, organizationId: ORGANIZATION }]);
    const two = account(organization(ORGANIZATION, ['chat']), organization(CONVERSATION, ['chat']));
    expect(read('/api/bootstrap', {}, { account: two })).toEqual([
      { type: 'account', account: OTHER, organizationId: null },
    ]);
    expect(read(`/api/bootstrap/${ORGANIZATION}/app_start`, {}, { account: two })).toEqual([
      { type: 'account', account: OTHER, organizationId: ORGANIZATION },
    ]);
  });

  it('is signed out by status, by a page instead of data, and by an account that is null', () => {
    for (const status of [401, 403])
      expect(read('/api/organizations', { status }, {})).toEqual([{ type: 'signed_out' }]);
    expect(read('/api/account', { contentType: 'text/html' }, '<html>')).toEqual([{ type: 'signed_out' }]);
    expect(read('/api/bootstrap', {}, { account: null })).toEqual([{ type: 'signed_out' }]);
  });

  it('is a security check when the header says so', () => {
    const check = { status: 403, contentType: 'text/html', headers: { 'cf-mitigated': 'challenge' } };
    expect(read('/api/account', check, '<html>')).toEqual([{ type: 'challenge' }]);
  });

  it('is drift in another shape, and of no use in the list of organisations and the start of a device', () => {
    expect(read('/api/account', {}, { id: 7 })).toEqual([{ type: 'drift', what: 'account' }]);
    expect(read('/api/organizations', {}, '[]')).toEqual([]);
    expect(read('/api/bootstrap', {}, { growthbook: {} })).toEqual([]);
  });
});
