import { describe, expect, it } from 'vitest';
import { Conductor, DESCRIBE, EXEC, instructionsOf, OTHER_NODE, PAUSE, RESUME } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { sweep } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
let conversations = 0;

async function bring(...asked: Parameters<typeof instructionsOf>) {
  conversations += 1;
  const response = await conductor.bring(
    conductor.message({ remote_conversation_id: `life-${conversations}`, instructions: instructionsOf(...asked) }),
  );
  return { ...response, ids: response.instructions.map((one) => one.instruction_id) };
}

const messageStatus = async (id: string) =>
  (await rowsOf<{ ingest_status: string }>('SELECT ingest_status FROM messages WHERE message_id = ?', id))[0]
    ?.ingest_status;
const run = (id: string | undefined) =>
  conductor.act<{ status: string; output: string; rest: { status: string; gate: string | null }[] }>(
    `/v1/instructions/${id}/run`,
  );

describe('the report of a node', () => {
  it('an instruction starts and ends, and the message is executed with the last one', async () => {
    const { ids, message_id } = await bring(EXEC, EXEC);
    const started = await conductor.act<{ status: string }>(`/v1/instructions/${ids[0]}/started`);
    expect(started.status).toBe('running');
    const first = await conductor.result(ids[0] ?? '');
    expect(first).toMatchObject({ status: 'succeeded', rest: [{ status: 'claimed' }] });
    expect(await messageStatus(message_id)).toBe('accepted');
    await conductor.result(ids[1] ?? '');
    expect(await messageStatus(message_id)).toBe('executed');
    const detail = await edge.data<{ events: { kind: string }[]; started_at: number | null }>(
      'GET',
      `/v1/instructions/${ids[0]}`,
    );
    expect(detail.events.map((event) => event.kind)).toEqual(['observed', 'judged', 'claimed', 'started', 'ended']);
  });

  it('a message fails when one of its instructions failed', async () => {
    const { ids, message_id } = await bring(EXEC, EXEC);
    await conductor.result(ids[0] ?? '', { status: 'failed', exit_code: 2 });
    await conductor.result(ids[1] ?? '');
    expect(await messageStatus(message_id)).toBe('failed');
  });

  it('a late result extends the claims of the rest', async () => {
    const { ids } = await bring(EXEC, EXEC);
    edge.now += 640_000;
    const response = await conductor.act<{ rest: { claim_expires_in_ms: number }[] }>(
      `/v1/instructions/${ids[0]}/result`,
      { status: 'succeeded', output: '', duration_ms: 1, truncated: false },
    );
    expect(response.rest[0]?.claim_expires_in_ms).toBe(660_000);
  });

  it('a report from a node that does not hold the instruction is refused', async () => {
    const { ids } = await bring(EXEC);
    const token = await conductor.token(OTHER_NODE);
    const body = { controller_id: OTHER_NODE };
    const error = await edge.error('POST', `/v1/instructions/${ids[0]}/started`, { token, body });
    expect([error.status, error.error]).toEqual([403, 'not_owner']);
  });

  it('a long output is stored as an artifact behind a signed link', async () => {
    const { ids } = await bring(EXEC);
    const output = 'x'.repeat(3_000);
    const { artifact_url } = await conductor.result(ids[0] ?? '', { output });
    const opened = await edge.fetch(new URL(artifact_url ?? '').pathname);
    expect(await opened.text()).toContain(output);
    const [row] = await rowsOf<{ output_summary: string }>(
      'SELECT output_summary FROM instructions WHERE instruction_id = ?',
      ids[0],
    );
    expect(row?.output_summary).toHaveLength(200);
  });

  it('an output is stored as an artifact when it is longer than the limit that the node names', async () => {
    const { ids } = await bring(EXEC, EXEC, DESCRIBE, DESCRIBE);
    const [output, inline_chars] = ['x'.repeat(501), 500];
    expect((await conductor.result(ids[0] ?? '', { output, inline_chars })).artifact_url).not.toBeNull();
    expect((await conductor.result(ids[1] ?? '', { output, inline_chars: 501 })).artifact_url).toBeNull();
    const runWith = (id: string | undefined, limit: number) =>
      conductor.act<{ artifact_url: string | null }>(`/v1/instructions/${id}/run`, { inline_chars: limit });
    expect((await runWith(ids[2], 100_000)).artifact_url).toBeNull();
    expect((await runWith(ids[3], 100)).artifact_url).not.toBeNull();
  });

  it('a result after the claim has expired is kept as late and changes nothing', async () => {
    const { ids, message_id } = await bring(EXEC);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    edge.now += 700_000;
    await sweep(conductor);
    expect(await messageStatus(message_id)).toBe('failed');
    expect((await conductor.result(ids[0] ?? '')).status).toBe('interrupted');
    const [row] = await rowsOf<{ status: string; late_result: string }>(
      'SELECT status, late_result FROM instructions WHERE instruction_id = ?',
      ids[0],
    );
    expect(row?.status).toBe('interrupted');
    expect(JSON.parse(row?.late_result ?? '{}')).toMatchObject({ status: 'succeeded' });
  });

  it('three failed messages in a row pause the conversation', async () => {
    const remote_conversation_id = 'life-failing';
    let id = '';
    for (let n = 0; n < 3; n += 1) {
      const response = await conductor.bring(
        conductor.message({ remote_conversation_id, instructions: instructionsOf(EXEC) }),
      );
      id = response.local_conversation_id;
      await conductor.result(response.instructions[0]?.instruction_id ?? '', { status: 'failed' });
    }
    const detail = await edge.data<Record<string, unknown>>('GET', `/v1/renewal/conversations/${id}`);
    expect(detail).toMatchObject({ automation_status: 'paused', pause_reason: 'execution_failure' });
  });
});

describe('a tool of the edge', () => {
  it('describe lists the tools with their parameters, and its output is the result', async () => {
    const { ids, message_id } = await bring(DESCRIBE);
    const { status, output } = await run(ids[0]);
    expect(status).toBe('succeeded');
    expect(output).toMatch(/^.*conductor::files\/write \{path: string, .*content: string/m);
    expect(await messageStatus(message_id)).toBe('executed');
    expect((await run(ids[0])).output).toBe(output);
  });

  it('status reports the state of the system', async () => {
    const { ids } = await bring({ target: 'conductor', tool: 'status', params: {} });
    expect(JSON.parse((await run(ids[0])).output)).toMatchObject({
      mode: 'running',
      conversation: { automation_status: 'manual' },
    });
  });

  it('a run before its turn, or of a tool of the host, is refused', async () => {
    const { ids } = await bring(EXEC, DESCRIBE);
    const token = await conductor.token();
    const call = { token, body: { controller_id: NODE } };
    expect((await edge.error('POST', `/v1/instructions/${ids[1]}/run`, call)).error).toBe('conflict');
    expect((await edge.error('POST', `/v1/instructions/${ids[0]}/run`, call)).error).toBe('conflict');
  });

  it('conversation/mode sets the mode of its own conversation', async () => {
    const { ids, local_conversation_id } = await bring({
      target: 'conductor',
      tool: 'conversation/mode',
      params: { scope: 'current', mode: 'paused' },
    });
    await run(ids[0]);
    const detail = await edge.data<Record<string, unknown>>(
      'GET',
      `/v1/renewal/conversations/${local_conversation_id}`,
    );
    expect(detail).toMatchObject({ automation_status: 'paused', pause_reason: 'ai_pause' });
  });
});

describe('a pause', () => {
  it('a pause between two instructions blocks the second, and resuming does not run it', async () => {
    const { ids, message_id } = await bring(EXEC, EXEC);
    await conductor.mode('pause');
    const first = await conductor.result(ids[0] ?? '');
    expect(first.rest).toMatchObject([{ status: 'blocked', gate: 'system_paused' }]);
    await conductor.mode('resume');
    expect(await messageStatus(message_id)).toBe('failed');
    const detail = await edge.data<{ status: string }>('GET', `/v1/instructions/${ids[1]}`);
    expect(detail.status).toBe('blocked');
  });

  it('a pause blocks ordinary instructions, and a control instruction runs and lifts it', async () => {
    await conductor.mode('pause');
    const blocked = await bring(EXEC);
    expect(blocked).toMatchObject({
      ingest_status: 'system_paused',
      instructions: [{ status: 'blocked', gate: 'system_paused' }],
    });
    const { ids } = await bring(EXEC, RESUME);
    expect((await run(ids[1])).status).toBe('succeeded');
    const state = await edge.data<{ mode: string }>('GET', '/v1/system/state');
    expect(state.mode).toBe('running');
    const detail = await edge.data<{ status: string; gate: string }>('GET', `/v1/instructions/${ids[0]}`);
    expect(detail).toMatchObject({ status: 'blocked', gate: 'system_paused' });
  });

  it('a pause that a message asks for blocks its later instructions', async () => {
    const { ids } = await bring(PAUSE, EXEC);
    expect((await run(ids[0])).rest).toMatchObject([{ status: 'blocked', gate: 'system_paused' }]);
    await conductor.mode('resume');
  });
});

describe('a deadline', () => {
  it('an approval without a decision expires, and the instruction behind it is released', async () => {
    const { ids } = await bring({ ...EXEC, policy: { decision: 'ask', rule: 'r' } }, DESCRIBE);
    edge.now += 900_001;
    await sweep(conductor);
    const rows = await rowsOf<{ status: string }>(
      'SELECT status FROM instructions WHERE instruction_id IN (?, ?) ORDER BY "index"',
      ...ids,
    );
    expect(rows.map((row) => row.status)).toEqual(['expired', 'claimed']);
  });

  it('the outcome of a reply is stored, and a reply without an outcome is given up after ten minutes', async () => {
    const replied = await bring(EXEC);
    await conductor.result(replied.ids[0] ?? '');
    const reply = { outcome: 'delivered', reason: null, attempt: 1 };
    const response = await conductor.act<{ reply_outcome: string }>(`/v1/messages/${replied.message_id}/reply`, reply);
    expect(response.reply_outcome).toBe('delivered');
    const due = (id: string) => rowsOf('SELECT 1 FROM messages WHERE message_id = ? AND reply_due_at IS NOT NULL', id);
    expect(await due(replied.message_id)).toEqual([]);
    const silent = await bring(EXEC);
    await conductor.result(silent.ids[0] ?? '');
    edge.now += 600_001;
    await sweep(conductor);
    const outcome = async (id: string) =>
      (await edge.data<{ reply_outcome: string }>('GET', `/v1/messages/${id}`)).reply_outcome;
    expect(await outcome(silent.message_id)).toBe('given_up');
    expect(await due(silent.message_id)).toEqual([]);
    expect(await outcome(replied.message_id)).toBe('delivered');
  });
});
