/** An empty progress report asks for the statuses of a message; under a pause it blocks what has not started. */
import { describe, expect, it } from 'vitest';
import type { MessageProgressResponse } from '../../../schema/contracts/progress.ts';
import { Conductor, EXEC, RESUME } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { bringTo, statusesOf } from './support.ts';

const conductor = new Conductor();
const RESULT = { status: 'succeeded', output: 'ok', duration_ms: 5, truncated: false };

function report(messageId: string, items: object[]): Promise<MessageProgressResponse> {
  return conductor.act<MessageProgressResponse>(`/v1/messages/${messageId}/progress`, { items });
}

async function journalOf(instructionId: string | undefined): Promise<string[]> {
  const { events } = await conductor.edge.data<{ events: { kind: string }[] }>(
    'GET',
    `/v1/instructions/${instructionId}`,
  );
  return events.map(({ kind }) => kind);
}

describe('an empty progress report', () => {
  it('an empty report changes nothing while the system runs', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    expect(await report(message_id, [])).toMatchObject({ mode: 'running', instructions: [{ status: 'claimed' }] });
    await report(message_id, [{ instruction_id: ids[0], started: true, result: RESULT }]);
    expect(await report(message_id, [])).toMatchObject({ ingest_status: 'executed' });
  });

  it('an empty report blocks what has not started while the system is paused', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, EXEC, EXEC]);
    await report(message_id, [{ instruction_id: ids[0], started: true }]);
    await conductor.mode('pause');
    try {
      const { instructions } = await report(message_id, []);
      expect(instructions.map(({ status, gate }) => [status, gate])).toEqual([
        ['running', null],
        ['blocked', 'system_paused'],
        ['blocked', 'system_paused'],
      ]);
      expect(await journalOf(ids[1])).toEqual(['observed', 'judged', 'claimed', 'gated']);
      expect((await report(message_id, [])).instructions).toMatchObject(instructions.map(({ status }) => ({ status })));
    } finally {
      await conductor.mode('resume');
    }
  });

  it('an empty report ends a paused message in which nothing runs, and leaves its control instructions claimed', async () => {
    const ending = await bringTo(conductor, [EXEC, EXEC]);
    const staying = await bringTo(conductor, [EXEC, RESUME]);
    await conductor.mode('pause');
    try {
      expect((await report(ending.message_id, [])).ingest_status).toBe('failed');
      expect(await statusesOf(ending.message_id)).toEqual(['blocked', 'blocked']);
      const [row] = await rowsOf<{ reply_due_at: number | null }>(
        'SELECT reply_due_at FROM messages WHERE message_id = ?',
        ending.message_id,
      );
      expect(row?.reply_due_at).not.toBeNull();
      expect((await report(staying.message_id, [])).ingest_status).toBe('accepted');
      expect(await statusesOf(staying.message_id)).toEqual(['blocked', 'claimed']);
    } finally {
      await conductor.mode('resume');
    }
  });
});
