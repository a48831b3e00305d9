import { describe, expect, it } from 'vitest';
import { TestEdge } from '../support/edge.ts';

const edge = new TestEdge();

describe('a race', () => {
  it('runs the rival between the reads and the commit of the write', async () => {
    const seen: string[] = [];
    const write = () => edge.mint('readonly');
    const { token_id } = await edge.race(write, async () => seen.push('rival'));
    expect(seen).toEqual(['rival']);
    const rotate = () => edge.error('POST', `/v1/tokens/${token_id}/rotate`, { body: {} });
    const revoke = () => edge.data('DELETE', `/v1/tokens/${token_id}`);
    expect(await edge.race(rotate, revoke)).toMatchObject({ status: 409, error: 'conflict' });
  });

  it('fails when the write changes nothing', async () => {
    await expect(
      edge.race(
        () => edge.data('GET', '/v1/tokens'),
        async () => {},
      ),
    ).rejects.toThrow('no batch');
  });
});
