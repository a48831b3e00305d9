import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { Conductor } from '../support/conductor.ts';
import { NODE } from '../support/edge.ts';
import { pageRequests, storedConversations } from '../support/stored-scale.ts';

const conductor = new Conductor();
const { edge } = conductor;
/** More than a list without an index for its filter looks through. */
const FEW = 2_100;
const MANY = 2 * FEW;
const PROBE = 17;

async function store(from: number, to: number): Promise<void> {
  for (const statement of storedConversations(from, to)) await env.DB.exec(statement.replaceAll(/\s+/g, ' '));
}

/** The D1 rows that each request of the page reads, by its log line. */
async function rowsRead(): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  for (const path of pageRequests(PROBE)) {
    const { status, text } = await edge.call('GET', path);
    expect(status, `${path}: ${text}`).toBe(200);
    rows.set(path, Number(edge.lines.at(-1)?.rows_read));
  }
  return rows;
}

describe('the requests of the page', () => {
  let few: Map<string, number>;
  let many: Map<string, number>;
  beforeAll(async () => {
    await conductor.act('/v1/controllers/heartbeat', { host: 'mini', role: 'primary', priority: 1, status: 'standby' });
    await conductor.heard(NODE);
    await store(0, FEW);
    few = await rowsRead();
    await store(FEW, MANY);
    many = await rowsRead();
  }, 120_000);

  it('read no more rows of D1 when twice as much is stored', () => {
    const grown = [...many].filter(([path, rows]) => rows > (few.get(path) ?? 0));
    expect(grown.map(([path, rows]) => `${path}: ${few.get(path)} -> ${rows}`)).toEqual([]);
  });
});
