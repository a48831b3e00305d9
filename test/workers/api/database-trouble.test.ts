import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { isDatabaseTrouble } from '../../../workers/db/unavailable.ts';
import { muteLog } from '../objects/support.ts';
import { TestEdge } from '../support/edge.ts';

/** D1 whose every query fails with that message. */
function failing(message: string): D1Database {
  const fail = async () => {
    throw new Error(`D1_ERROR: ${message}`);
  };
  const statement = { bind: () => statement, all: fail, run: fail, raw: fail, first: fail };
  return new Proxy(env.DB, {
    get: (target, key) => {
      if (key === 'prepare') return () => statement;
      if (key === 'batch') return fail;
      return Reflect.get(target, key);
    },
  });
}

let log: ReturnType<typeof muteLog>;
beforeEach(() => {
  log = muteLog();
  return () => log.mockRestore();
});

describe('while the database cannot be used', () => {
  it.each([
    'database is locked: SQLITE_BUSY',
    'database or disk is full: SQLITE_FULL',
    'disk I/O error: SQLITE_IOERR',
    'D1 DB is overloaded. Requests queued for too long.',
    'D1 DB storage operation exceeded timeout which caused object to be reset.',
    'Internal error in D1 DB storage caused object to be reset.',
    'Network connection lost.',
    'internal error; reference = at1esmohju1flnrhgddhkbcd',
  ])('a read and a write respond 503 with retry-after: %s', async (message) => {
    const edge = new TestEdge({ env: { DB: failing(message) } });
    const write = { body: { role: 'readonly', subject: 'x' } };
    for (const reply of [await edge.call('GET', '/v1/messages'), await edge.call('POST', '/v1/tokens', write)]) {
      expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '2']);
      expect(JSON.parse(reply.text)).toMatchObject({
        error: 'database_unavailable',
        details: { retry_after_ms: 2_000 },
      });
      expect(reply.text).not.toContain('SQLITE');
    }
  });

  it('the log has the failed query without its values, which may be texts of people', async () => {
    const edge = new TestEdge({ env: { DB: failing('database is locked: SQLITE_BUSY') } });
    await edge.call('GET', '/v1/audit?actor=somebody-private');
    expect(log).toHaveBeenCalledWith(expect.stringContaining('SQLITE_BUSY'));
    expect(JSON.stringify(log.mock.calls)).not.toContain('somebody-private');
  });

  it('a query that is wrong stays an internal error, which a repeat does not mend', async () => {
    const edge = new TestEdge({ env: { DB: failing('no such column: x: SQLITE_ERROR') } });
    expect(await edge.error('GET', '/v1/messages')).toMatchObject({ status: 500, error: 'internal' });
    expect(isDatabaseTrouble(new Error('UNIQUE constraint failed: tokens.token_hash: SQLITE_CONSTRAINT'))).toBe(false);
  });
});
