import { describe, expect, it } from 'vitest';
import { ingestBody } from '../../../../local-agent/instructions/ingest-body.ts';
import { IngestBodySchema } from '../../../../schema/contracts/instructions.ts';
import { HTTP } from '../../../../schema/defaults.ts';
import { block, finalMessage } from './instruction-host.ts';

const deps = {
  nodeId: 'node-1',
  judge: () => ({ decision: 'allow', rule: 'default' }) as const,
  approval: () => {
    throw new Error('nothing is asked');
  },
};

function bodyOf(text: string) {
  return ingestBody({ ...finalMessage(text), conversation_id: 'conversation-1' }, deps);
}

describe('a message that is larger than a request may be', () => {
  // Written as JSON each takes six bytes, so a text within the frame's limit exceeds the body's.
  const filler = '\u0001'.repeat(400_000);

  it('is told cut, without its instructions, and says why', () => {
    const body = bodyOf(`${block('@conductor::exec::true')}\n${filler}`);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(HTTP.max_body_bytes);
    expect(IngestBodySchema.safeParse(body).success).toBe(true);
    expect(body.instructions).toEqual([]);
    expect(body.block_errors).toMatchObject([{ stage: 'extract', code: 'message_too_large' }]);
  });

  it('is no error when it asks for nothing', () => {
    const body = bodyOf(filler);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(HTTP.max_body_bytes);
    expect([body.instructions, body.block_errors]).toEqual([[], []]);
  });

  it('keeps its instructions while it fits', () => {
    expect(bodyOf(`${block('@conductor::exec::true')}\n${'x'.repeat(1_000_000)}`).instructions).toHaveLength(1);
  });
});
