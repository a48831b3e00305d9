import { describe, expect, it } from 'vitest';
import { buildIngestBody } from '../../../../local-agent/instructions/ingest-body.ts';
import { IngestBodySchema } from '../../../../schema/contracts/instructions.ts';
import { HTTP } from '../../../../schema/defaults.ts';
import { block, finalMessage } from './instruction-host.ts';

const hostPolicy = {
  judge: () => ({ decision: 'allow', rule: 'default' }) as const,
  approval: () => {
    throw new Error('nothing needs an approval');
  },
};

function bodyOf(text: string) {
  return buildIngestBody(
    { ...finalMessage(text), conversation_id: 'conversation-1' },
    { nodeId: 'node-1', hostPolicy },
  );
}

describe('a message that is larger than a request may be', () => {
  // As JSON each character takes six bytes, so a text within the limit of a frame exceeds that of a body.
  const filler = '\u0001'.repeat(400_000);

  it('the text is cut, the instructions are left out, and an error names the reason', () => {
    const body = bodyOf(`${block('@conductor::exec::true')}\n${filler}`);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(HTTP.max_body_bytes);
    expect(IngestBodySchema.safeParse(body).success).toBe(true);
    expect(body.instructions).toEqual([]);
    expect(body.block_errors).toMatchObject([{ stage: 'extract', code: 'message_too_large' }]);
  });

  it('a message without instructions is no error', () => {
    const body = bodyOf(filler);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(HTTP.max_body_bytes);
    expect([body.instructions, body.block_errors]).toEqual([[], []]);
  });

  it('a message that fits keeps its instructions', () => {
    expect(bodyOf(`${block('@conductor::exec::true')}\n${'x'.repeat(1_000_000)}`).instructions).toHaveLength(1);
  });
});

describe('a message that cannot be parsed within the limits', () => {
  it('the error of the message is reported, and the body fits its contract', () => {
    const body = bodyOf(`${'>#\nb\n'.repeat(2_000)}${block('@conductor::exec::true')}`);
    expect(body.block_errors).toMatchObject([{ stage: 'extract', code: 'message_too_complex' }]);
    expect(IngestBodySchema.safeParse(body).success).toBe(true);
  });
});
