import { describe, expect, it } from 'vitest';
import { CONVERSATION_BREAKER } from '../../../schema/defaults.ts';
import { Conductor, DESCRIBE, EXEC, instructionsOf, OTHER_NODE, RESUME } from '../support/conductor.ts';
import { ENTRIES, rowsOf } from '../support/edge.ts';

const conductor = new Conductor();
let conversations = 0;
/** A new conversation for each test. */
const newConversation = (): string => {
  conversations += 1;
  return `ingest-${conversations}`;
};
const statuses = (response: { instructions: { status: string }[] }) => response.instructions.map((one) => one.status);

describe('a final message', () => {
  it('a final message is stored, and its instructions are claimed and entered in the journal', async () => {
    const response = await conductor.bring(
      conductor.message({ remote_conversation_id: newConversation(), instructions: instructionsOf(EXEC, DESCRIBE) }),
    );
    expect(response).toMatchObject({ ingest_status: 'accepted', automation_status: 'manual', mode: 'running' });
    expect(statuses(response)).toEqual(['claimed', 'claimed']);
    // The timeout of exec (10 min) and a minute, and one minute more for describe.
    expect(response.instructions.map((one) => one.claim_expires_in_ms)).toEqual([660_000, 720_000]);
    const events = await rowsOf<{ kind: string }>(
      `SELECT kind FROM ${ENTRIES} WHERE instruction_id = ? ORDER BY seq, place`,
      response.instructions[0]?.instruction_id,
    );
    expect(events.map((event) => event.kind)).toEqual(['observed', 'judged', 'claimed']);
  });

  it('a message without instructions, or of another role, is stored and runs nothing', async () => {
    const plain = await conductor.bring(conductor.message({ remote_conversation_id: newConversation() }));
    expect(plain).toMatchObject({ ingest_status: 'ignored_no_instructions', instructions: [] });
    const user = await conductor.bring(
      conductor.message({
        remote_conversation_id: newConversation(),
        role: 'user',
        instructions: instructionsOf(EXEC),
      }),
    );
    expect(user).toMatchObject({ ingest_status: 'ignored_no_instructions', instructions: [] });
    expect(
      await rowsOf('SELECT 1 FROM messages WHERE message_id IN (?, ?)', plain.message_id, user.message_id),
    ).toHaveLength(2);
  });

  it('a message whose only block cannot be parsed is parse_error_only', async () => {
    const block_errors = [{ block_index: 0, stage: 'parse', code: 'bad_line', message: 'no', line: 3 } as const];
    const response = await conductor.bring(
      conductor.message({ remote_conversation_id: newConversation(), block_errors }),
    );
    expect(response.ingest_status).toBe('parse_error_only');
  });

  it('an assistant that goes wrong again and again gets three replies, and then the conversation is paused', async () => {
    const block_errors = [{ block_index: 0, stage: 'extract', code: 'not_baa', message: 'no', line: 3 } as const];
    const remote_conversation_id = newConversation();
    const wrong = () => conductor.bring(conductor.message({ remote_conversation_id, block_errors }));
    const owes = async (message_id: string) =>
      (await rowsOf('SELECT 1 FROM messages WHERE message_id = ? AND reply_due_at IS NOT NULL', message_id)).length;
    for (let nth = 1; nth <= CONVERSATION_BREAKER.execution_failure; nth += 1) {
      const replied = await wrong();
      expect(replied).toMatchObject({ ingest_status: 'parse_error_only', automation_status: 'manual' });
      expect(await owes(replied.message_id)).toBe(1);
    }
    for (let nth = 1; nth <= 2; nth += 1) {
      const silent = await wrong();
      expect(silent).toMatchObject({ ingest_status: 'parse_error_only', automation_status: 'paused' });
      expect(await owes(silent.message_id)).toBe(0);
    }
  });

  it('a message of which the two readings differ is blocked', async () => {
    const response = await conductor.bring(
      conductor.message({
        remote_conversation_id: newConversation(),
        capture: { source: 'dom', other: 'differs' },
        instructions: instructionsOf(EXEC),
      }),
    );
    expect(response.ingest_status).toBe('capture_mismatch');
    expect(statuses(response)).toEqual(['blocked']);
  });

  it('a message that waited too long is expired', async () => {
    const body = conductor.message({
      remote_conversation_id: newConversation(),
      instructions: instructionsOf(EXEC, RESUME),
    });
    const response = await conductor.bring(body, { 'x-baa-age-ms': '600001' });
    expect(response.ingest_status).toBe('expired');
    expect(statuses(response)).toEqual(['expired', 'expired']);
  });

  it('an unknown tool, or parameters that do not fit, are denied even when the node allowed them', async () => {
    const response = await conductor.bring(
      conductor.message({
        remote_conversation_id: newConversation(),
        instructions: instructionsOf(
          { target: 'conductor', tool: 'sudo', params: {} },
          { ...DESCRIBE, params: { x: 1 } },
          { ...EXEC, policy: { decision: 'control', rule: 'not a control tool' } },
        ),
      }),
    );
    expect(response.ingest_status).toBe('denied_only');
    expect(response.instructions.map((one) => one.gate)).toEqual(['unknown_tool', 'invalid_params', 'not_control']);
  });

  it('an instruction behind an approval waits, in message order', async () => {
    const ask = { policy: { decision: 'ask', rule: 'exec.default' } } as const;
    const response = await conductor.bring(
      conductor.message({
        remote_conversation_id: newConversation(),
        instructions: instructionsOf(DESCRIBE, { ...EXEC, ...ask }, DESCRIBE),
      }),
    );
    expect(response.ingest_status).toBe('accepted');
    expect(statuses(response)).toEqual(['claimed', 'waiting', 'waiting']);
  });

  it('a message with nothing but shadowed instructions is executed at once', async () => {
    const shadow = { policy: { decision: 'shadow', rule: 'mode' } } as const;
    const response = await conductor.bring(
      conductor.message({
        remote_conversation_id: newConversation(),
        instructions: instructionsOf({ ...EXEC, ...shadow }),
      }),
    );
    expect(response.ingest_status).toBe('executed');
    expect(statuses(response)).toEqual(['shadowed']);
  });
});

describe('a repeated message', () => {
  it('a repeat under the same key gets the same response, and without a key it is a duplicate', async () => {
    const body = conductor.message({ remote_conversation_id: newConversation(), instructions: instructionsOf(EXEC) });
    const key = { 'idempotency-key': '0badc0de-1/conv:x/1' };
    const first = await conductor.bring(body, key);
    expect(await conductor.bring(body, key)).toEqual(first);
    const again = await conductor.bring(body);
    expect(again).toMatchObject({ ingest_status: 'duplicate_message', message_id: first.message_id, instructions: [] });
  });

  it.each([
    ['sent without an id first', null, 'id-1'],
    ['sent without an id later', 'id-1', null],
  ])('a message that is %s is the same message by its text', async (_name, first, later) => {
    const body = conductor.message({ remote_conversation_id: newConversation(), instructions: instructionsOf(EXEC) });
    const one = await conductor.bring({ ...body, assistant_message_id: first });
    const two = await conductor.bring({ ...body, assistant_message_id: later });
    expect(two).toMatchObject({ ingest_status: 'duplicate_only', message_id: one.message_id, instructions: [] });
  });

  it('two ids make two messages, also of the same text', async () => {
    const body = conductor.message({
      remote_conversation_id: newConversation(),
      instructions: instructionsOf(DESCRIBE),
    });
    const one = await conductor.bring(body);
    await conductor.act(`/v1/instructions/${one.instructions[0]?.instruction_id}/run`);
    const two = await conductor.bring({ ...body, assistant_message_id: 'another' });
    expect(two.ingest_status).toBe('accepted');
  });

  it('a message that two nodes send at the same time is claimed by exactly one, also over many rounds', async () => {
    for (let round = 0; round < 8; round += 1) {
      const remote_conversation_id = newConversation();
      // In every other round the conversation exists already, so its unique key does not decide the race.
      if (round % 2 === 1) await conductor.bring(conductor.message({ remote_conversation_id }));
      const body = conductor.message({
        remote_conversation_id,
        instructions: instructionsOf(EXEC, DESCRIBE),
      });
      const responses = await Promise.all([
        conductor.bring(body),
        conductor.bring({ ...body, controller_id: OTHER_NODE, client_id: 'firefox-2' }),
        conductor.bring({ ...body, controller_id: OTHER_NODE, client_id: 'firefox-2', assistant_message_id: null }),
      ]);
      const accepted = responses.filter((response) => response.ingest_status === 'accepted');
      expect(accepted).toHaveLength(1);
      const rest = responses.filter((response) => response.ingest_status !== 'accepted');
      expect(rest.every(({ ingest_status }) => ['duplicate_message', 'duplicate_only'].includes(ingest_status))).toBe(
        true,
      );
      const rows = await rowsOf('SELECT 1 FROM instructions WHERE message_id = ?', accepted[0]?.message_id);
      expect(rows).toHaveLength(2);
    }
  });

  it('a message sent with and without its id at the same time is stored once, also when nothing of it runs', async () => {
    const other = { controller_id: OTHER_NODE, client_id: 'firefox-of-another' };
    const deny = { policy: { decision: 'deny', rule: 'tools' } } as const;
    const remote_conversation_id = newConversation();
    await conductor.bring(conductor.message({ remote_conversation_id }));
    for (let round = 0; round < 8; round += 1) {
      const body = conductor.message({ remote_conversation_id, instructions: instructionsOf({ ...EXEC, ...deny }) });
      const responses = await Promise.all([
        conductor.bring(body),
        conductor.bring({ ...body, assistant_message_id: null }),
        conductor.bring({ ...body, ...other, assistant_message_id: null }),
      ]);
      expect(new Set(responses.map((response) => response.message_id)).size).toBe(1);
    }
  });
});

describe('a gate', () => {
  it('a second message is blocked while the first is executing', async () => {
    const remote_conversation_id = newConversation();
    await conductor.bring(conductor.message({ remote_conversation_id, instructions: instructionsOf(EXEC) }));
    const response = await conductor.bring(
      conductor.message({ remote_conversation_id, instructions: instructionsOf(EXEC, RESUME) }),
    );
    expect(response.instructions.map(({ status, gate }) => [status, gate])).toEqual([
      ['blocked', 'automation_busy'],
      ['claimed', null],
    ]);
  });

  it('ordinary instructions of a paused conversation are blocked, and it keeps its status and reason', async () => {
    const remote_conversation_id = newConversation();
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id }));
    await conductor.automation(local_conversation_id, 'paused');
    const response = await conductor.bring(
      conductor.message({ remote_conversation_id, instructions: instructionsOf(EXEC) }),
    );
    expect(response).toMatchObject({ ingest_status: 'automation_paused', automation_status: 'paused' });
    const [row] = await rowsOf(
      'SELECT automation_status, pause_reason FROM local_conversations WHERE local_conversation_id = ?',
      local_conversation_id,
    );
    expect(row).toEqual({ automation_status: 'paused', pause_reason: 'user_pause' });
  });

  it('a conversation that repeats what it has executed is paused', async () => {
    const remote_conversation_id = newConversation();
    const raw_text = 'again and again';
    const nextMessage = () =>
      conductor.message({ remote_conversation_id, raw_text, instructions: instructionsOf(DESCRIBE) });
    for (let n = 0; n < 3; n += 1) {
      const { instructions } = await conductor.bring(nextMessage());
      await conductor.act(`/v1/instructions/${instructions[0]?.instruction_id}/run`);
    }
    const response = await conductor.bring(nextMessage());
    expect(response).toMatchObject({ ingest_status: 'automation_paused', automation_status: 'paused' });
  });
});
