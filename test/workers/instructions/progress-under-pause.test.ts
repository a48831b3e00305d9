/** `POST /v1/messages/:id/progress`: what a node reports of a message in one request. */
import { describe, expect, it } from 'vitest';
import type { MessageProgressResponse } from '../../../schema/contracts/instructions.ts';
import { Conductor, DESCRIBE, EXEC, RESUME } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { bringTo, messageStatus, statusesOf } from './support.ts';

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

describe('a report about a message', () => {
  it('takes starts and results of several instructions, and names the status of every one', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, EXEC, EXEC]);
    const [first, second, third] = ids;
    const response = await report(message_id, [
      { instruction_id: first, started: true, started_age_ms: 40, result: RESULT },
      { instruction_id: second, started: true, started_age_ms: 10 },
    ]);
    expect(response.instructions.map(({ status }) => status)).toEqual(['succeeded', 'running', 'claimed']);
    expect(response.mode).toBe('running');
    expect(await journalOf(first)).toEqual(['observed', 'judged', 'claimed', 'started', 'ended']);
    const rest = [
      { instruction_id: second, result: RESULT },
      { instruction_id: third, started: true, result: RESULT },
    ];
    expect((await report(message_id, rest)).ingest_status).toBe('executed');
    expect(await messageStatus(message_id)).toBe('executed');
  });

  it('an empty one changes nothing while the system runs', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    expect(await report(message_id, [])).toMatchObject({ mode: 'running', instructions: [{ status: 'claimed' }] });
    await report(message_id, [{ instruction_id: ids[0], started: true, result: RESULT }]);
    expect(await report(message_id, [])).toMatchObject({ ingest_status: 'executed' });
  });

  it('an empty one blocks what has not started while the system is paused', async () => {
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

  it('an empty one ends a paused message in which nothing runs, and leaves its control instructions claimed', async () => {
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

  it.each([
    [1, true],
    [100_000, false],
  ])('an output longer than inline_chars (%i) becomes an artifact: %s', async (inline_chars, isArtifact) => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, DESCRIBE]);
    const items = [{ instruction_id: ids[0], started: true, result: RESULT }];
    const path = `/v1/messages/${message_id}/progress`;
    const reported = await conductor.act<MessageProgressResponse>(path, { items, inline_chars });
    expect(reported.instructions[0]?.artifact_url !== null).toBe(isArtifact);
    const run = `/v1/instructions/${ids[1]}/run`;
    const { artifact_url } = await conductor.act<{ artifact_url: string | null }>(run, { inline_chars });
    expect(artifact_url !== null).toBe(isArtifact);
  });
});
