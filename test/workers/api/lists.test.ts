import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../schema/contracts/audit.ts';
import type { Token } from '../../../schema/contracts/tokens.ts';
import { TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** Every page from the first to the last; `between` happens after each. */
async function walk<T>(path: string, limit: number, between: () => Promise<unknown> = async () => {}): Promise<T[][]> {
  const pages: T[][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const more = cursor === '' ? '' : `&cursor=${cursor}`;
    const page: Page<T> = await edge.data<Page<T>>(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${more}`,
    );
    pages.push(page.items);
    cursor = page.next_cursor;
    await between();
  }
  return pages;
}

describe('a list', () => {
  it('a list shows each row once, newest first, also while it grows', async () => {
    const made: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      edge.now += 1;
      made.push((await edge.mint('readonly', { subject: `reader ${n}` })).token_id);
    }
    const pages = await walk<Token>('/v1/tokens', 3, () => edge.mint('readonly', { subject: 'meanwhile' }));
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(pages.flat().map((token) => token.token_id)).toEqual(made.reverse());
  });

  it('a list that fits one page has no next cursor', async () => {
    const { items } = await edge.data<Page<Token>>('GET', '/v1/tokens?limit=200');
    const page = await edge.data<Page<Token>>('GET', `/v1/tokens?limit=${items.length}`);
    expect(page.next_cursor).toBeNull();
  });

  it('a page has twenty rows by default', async () => {
    for (let n = 0; n < 15; n += 1) await edge.mint('readonly');
    expect((await edge.data<Page<Token>>('GET', '/v1/tokens')).items).toHaveLength(20);
  });

  it('a filter applies to every page', async () => {
    await edge.mint('controller', { controller_id: 'mini-main' });
    await edge.mint('controller', { controller_id: 'mac-main' });
    const pages = await walk<Token>('/v1/tokens?controller_id=mac-main', 1);
    expect(pages.flat().map((token) => token.controller_id)).toEqual(['mac-main']);
  });

  it('a cursor of another list is refused', async () => {
    const { next_cursor } = await edge.data<Page<Token>>('GET', '/v1/tokens?limit=1');
    expect(await edge.error('GET', `/v1/audit?cursor=${next_cursor}`)).toMatchObject({
      error: 'invalid_request',
      details: { field: 'cursor' },
    });
  });
});

describe('the audit', () => {
  it('the audit has one row per write: actor, action, time, subject and request id', async () => {
    const { token } = await edge.mint('browser_admin', { subject: 'firefox-1' });
    const headers = { 'x-request-id': 'request-of-the-pause' };
    await edge.data('POST', '/v1/system/pause', { token, headers });
    const { items } = await edge.data<Page<AuditEntry>>('GET', '/v1/audit?request_id=request-of-the-pause');
    expect(items).toMatchObject([
      {
        at: edge.now,
        actor: 'firefox-1',
        role: 'browser_admin',
        action: 'POST /v1/system/pause',
        subject_id: 'paused',
      },
    ]);
  });

  it('a filtered audit searches one range per page: an empty page has a cursor, the last page has none', async () => {
    await env.DB.prepare(
      `INSERT INTO audit (at, actor, role, action, request_id)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        SELECT i, 'crowd', 'readonly', 'POST /v1/x', 'r' FROM n`,
    ).run();
    const pages = await walk<AuditEntry>('/v1/audit?request_id=request-of-the-pause', 5);
    expect(pages.map((page) => page.length)).toEqual([0, 0, 1]);
    const all = await walk<AuditEntry>('/v1/audit?actor=crowd', 200);
    expect(new Set(all.flat().map(({ seq }) => seq)).size).toBe(5_000);
  });

  it('a refused write leaves no audit row', async () => {
    const before = await edge.data<Page<AuditEntry>>('GET', '/v1/audit?limit=1');
    await edge.error('POST', '/v1/tokens', { body: { role: 'king' } });
    expect(await edge.data('GET', '/v1/audit?limit=1')).toEqual(before);
  });
});
