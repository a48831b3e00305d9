import { env, exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { ErrorBodySchema } from '../../../schema/contracts/common.ts';
import type { Status } from '../../../schema/contracts/status.ts';
import { StatusSchema } from '../../../schema/contracts/status.ts';
import { HTTP } from '../../../schema/defaults.ts';
import { signArtifact } from '../../../workers/crypto/signed-link.ts';
import { ROUTES } from '../../../workers/routes.ts';
import { muteLog } from '../objects/support.ts';
import { NODE, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
const ART = `art_${'a'.repeat(26)}`;

describe('every response', () => {
  it('returns a well-formed request id of the caller', async () => {
    const given = { 'x-request-id': 'abc-DEF_123' };
    for (const path of ['/healthz', '/v1/leader', '/v1/nothing', '/v1/openapi.json']) {
      expect((await edge.call('GET', path, { headers: given })).headers.get('x-request-id')).toBe('abc-DEF_123');
    }
    const { text } = await edge.call('GET', '/v1/leader', { headers: given });
    expect(JSON.parse(text)).toMatchObject({ ok: true, request_id: 'abc-DEF_123' });
  });

  it('is kept by no cache, except for the documentation', async () => {
    const { token } = await edge.mint('readonly');
    for (const path of [
      '/v1/session',
      '/v1/status',
      '/v1/metrics',
      '/v1/nothing',
      '/v1/audit',
      '/v1/events?wait_ms=0',
    ]) {
      const { headers } = await edge.call('GET', path, { token });
      expect([path, headers.get('cache-control')]).toEqual([path, 'no-store']);
    }
    expect((await edge.call('POST', '/v1/tokens', { token, body: {} })).headers.get('cache-control')).toBe('no-store');
    expect((await edge.call('GET', '/v1/docs')).headers.get('cache-control')).toBe('public, max-age=300');
  });

  it('is 403 for a host name that is not among those of the edge, before any token is read', async () => {
    const local = new TestEdge({ env: { BAA_HOSTS: '127.0.0.1,localhost,[::1]' } });
    for (const host of ['127.0.0.1:8787', 'localhost:8787', '[::1]:8787']) {
      expect((await local.fetch(`http://${host}/healthz`)).status).toBe(200);
    }
    for (const host of ['evil.example:8787', '127.0.0.1.evil.example', 'localhost.evil.example']) {
      const response = await local.fetch(`http://${host}/v1/status`);
      expect([response.status, await response.json()]).toMatchObject([
        403,
        { error: 'forbidden', details: { field: 'host' } },
      ]);
    }
  });

  it.each(['with/slash', 'has space in it', `${'x'.repeat(129)}`, '<script>alert(1)</script>'])(
    'has a generated request id instead of the malformed %s',
    async (given) => {
      const { headers } = await edge.call('GET', '/v1/nothing', { headers: { 'x-request-id': given } });
      expect(headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/);
    },
  );

  it('makes one log line, without the token and without the path parameters', async () => {
    const { token, token_id } = await edge.mint('readonly');
    edge.lines.length = 0;
    await edge.call('DELETE', `/v1/tokens/${token_id}`, { token });
    expect(edge.lines).toEqual([
      {
        method: 'DELETE',
        path: '/v1/tokens/:token_id',
        status: 403,
        error: 'forbidden',
        ms: 0,
        queries: 1,
        rows_read: 1,
        rows_written: 0,
        request_id: expect.any(String),
        role: 'readonly',
      },
    ]);
    expect(JSON.stringify(edge.lines)).not.toContain(token);
  });
});

describe('paths and methods', () => {
  it('an unknown path is not found', async () => {
    for (const path of ['/nothing', '/v1', '/v1/tokens/', '/v2/tokens', '/v1/controllers//']) {
      expect(await edge.error('GET', path), path).toMatchObject({ status: 404, error: 'not_found' });
    }
  });

  it('HEAD responds like GET, without a body', async () => {
    for (const path of ['/healthz', '/v1/leader', '/v1/events']) {
      const { status, text } = await edge.call('HEAD', path);
      expect([status, text]).toEqual([200, '']);
    }
  });

  it('OPTIONS lists the allowed methods, and no other origin', async () => {
    const { status, headers } = await edge.call('OPTIONS', '/v1/tokens', { token: null });
    expect(status).toBe(204);
    expect(headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(edge.lines.at(-1)).toMatchObject({ method: 'OPTIONS', status: 204, error: null });
  });

  it('every route is declared once', () => {
    const declared = ROUTES.map(({ spec }) => `${spec.method} ${spec.path}`);
    expect(new Set(declared).size).toBe(declared.length);
  });
});

describe('a body without a length', () => {
  /** A body of chunks of a tenth of the limit, which counts the chunks that the edge takes. */
  function chunked(chunks: number, chunk: Uint8Array = new Uint8Array(HTTP.max_body_bytes / 10)) {
    const taken = { chunks: 0 };
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (taken.chunks === chunks) return controller.close();
          taken.chunks += 1;
          controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
    const send = (path: string, token = env.BAA_BOOTSTRAP_TOKEN) =>
      edge.fetch(path, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body });
    return { taken, send };
  }

  it('is read up to the limit and then refused', async () => {
    for (const path of ['/v1/tokens', '/v1/session']) {
      const { taken, send } = chunked(100);
      const response = await send(path);
      expect(response.status).toBe(413);
      expect(ErrorBodySchema.parse(await response.json()).error).toBe('payload_too_large');
      expect(taken.chunks).toBeLessThan(20);
    }
  });

  it('is accepted below the limit', async () => {
    const { send } = chunked(1, new TextEncoder().encode('{"role":"readonly","subject":"chunks"}'));
    expect((await send('/v1/tokens')).status).toBe(201);
  });

  it('is not read before the caller is authenticated', async () => {
    const { taken, send } = chunked(100);
    expect((await send('/v1/tokens', 'baa_unknown-but-well-formed')).status).toBe(401);
    expect(taken.chunks).toBe(0);
  });
});

describe('liveness', () => {
  it('is public plain text, through the entry of the Worker', async () => {
    const response = await exports.default.fetch('https://edge.test/healthz');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toBe('ok');
  });
});

describe('an unexpected failure', () => {
  it('is a 500 without its cause, which the log has under the request id', async () => {
    const log = muteLog();
    const broken = new TestEdge({ env: { LEADER_LEASE: undefined as never } });
    const response = await broken.error('GET', '/v1/leader');
    expect(log).toHaveBeenCalledWith(expect.stringContaining(response.request_id));
    log.mockRestore();
    expect(response).toMatchObject({ status: 500, error: 'internal', details: {} });
    expect(JSON.stringify(response)).not.toMatch(/TypeError|undefined|\.ts/);
  });
});

describe('an artifact', () => {
  const open = (path: string) => edge.call('GET', path, { token: null });

  it('is read by token, or as plain text by a signed link until that expires', async () => {
    await env.DB.prepare("INSERT INTO artifacts VALUES (?, 'instruction_output', NULL, '<b>all of it</b>', 1)")
      .bind(ART)
      .run();
    expect(await edge.data('GET', `/v1/artifacts/${ART}`)).toMatchObject({ content: '<b>all of it</b>' });
    const link = await signArtifact(env, ART, edge.now);
    const { status, text, headers } = await open(link);
    expect([status, text]).toEqual([200, '<b>all of it</b>']);
    expect(headers.get('content-type')).toContain('text/plain');
    expect(headers.get('content-security-policy')).toContain('sandbox');
    edge.now += 7 * 86_400_000;
    expect((await open(link)).status).toBe(404);
  });

  it('is not opened by a forged or altered link', async () => {
    const link = await signArtifact(env, ART, edge.now);
    const [, , , signature = ''] = link.split('/');
    const [end = '', mac = ''] = signature.split('.');
    const later = (Number.parseInt(end, 36) + 1).toString(36);
    for (const forged of [
      `/artifact/art_${'b'.repeat(26)}/${signature}`,
      `/artifact/${ART}/${later}.${mac}`,
      `/artifact/${ART}/${end}.${mac.replace(/^./, mac.startsWith('A') ? 'B' : 'A')}`,
      `/artifact/${ART}/${end}`,
      `/artifact/${ART}/x`,
    ]) {
      expect((await open(forged)).status, forged).toBe(404);
    }
    const foreign = new TestEdge({ now: edge.now, env: { BAA_BOOTSTRAP_TOKEN: 'another-secret-of-good-length' } });
    expect((await foreign.call('GET', link, { token: null })).status).toBe(404);
  });
});

describe('the status', () => {
  it('has exactly the documented fields', async () => {
    const status = await edge.data<Status>('GET', '/v1/status');
    expect(StatusSchema.strict().parse(status)).toEqual(status);
  });

  it('the log line of a request shows its cost in D1', async () => {
    await edge.mint('readonly');
    const write = edge.lines.at(-1);
    expect(write).toMatchObject({ path: '/v1/tokens', status: 201, rows_written: expect.any(Number) });
    expect(Number(write?.rows_written)).toBeGreaterThanOrEqual(3);
    await edge.data('GET', '/v1/audit');
    expect(Number(edge.lines.at(-1)?.rows_read)).toBeGreaterThan(0);
  });

  it('is available as Prometheus text', async () => {
    const { token } = await edge.mint('controller');
    const identity = { controller_id: NODE, host: 'mini', role: 'primary', priority: 1, status: 'standby' };
    const body = { ...identity, metadata: { outbox_depth: 3 } };
    await edge.data('POST', '/v1/controllers/heartbeat', { token, body });
    const { text, headers } = await edge.call('GET', '/v1/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toContain('conductor_system_mode{mode="running"} 1\n');
    expect(text).toContain(`conductor_outbox_depth{controller_id="${NODE}"} 3\n`);
  });
});
