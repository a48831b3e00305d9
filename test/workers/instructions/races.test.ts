import { beforeAll, describe, expect, it } from 'vitest';
import type { MessageClaimResponse } from '../../../schema/contracts/instructions.ts';
import { Conductor, EXEC, instructionsOf, OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import {
  ASKED,
  bringTo,
  browserOf,
  commandsFor,
  HASH,
  messageStatus,
  moveBrowser,
  nextConversation,
  statusesOf,
  storyOf,
} from './support.ts';

// Each test changes, between the reads and the commit of a write, something that the write's decision depends on.
const conductor = new Conductor();
const { edge } = conductor;
beforeAll(() => browserOf(conductor, NODE, 'firefox-1'));

const approve = (id: string | undefined) =>
  edge.call('POST', `/v1/instructions/${id}/approve`, { body: { approval_hash: HASH } });
const deny = (id: string | undefined) =>
  edge.call('POST', `/v1/instructions/${id}/deny`, { body: { approval_hash: HASH } });
const cancel = (id: string | undefined) => edge.call('POST', `/v1/instructions/${id}/cancel`, { body: {} });
const gatesOf = async (messageId: string) =>
  (
    await rowsOf<{ gate: string | null }>(
      'SELECT gate FROM instructions WHERE message_id = ? ORDER BY "index"',
      messageId,
    )
  ).map((row) => row.gate);

type Brought = Awaited<ReturnType<typeof bringTo>>;
/** What may close a gate of a message's conversation, by the gate. */
const CLOSE: Record<string, (message: Brought) => Promise<unknown>> = {
  system_paused: () => conductor.mode('pause'),
  automation_paused: ({ local_conversation_id }) => conductor.automation(local_conversation_id, 'paused'),
  automation_busy: ({ remote }) => bringTo(conductor, [EXEC], remote),
};
const GATES = Object.keys(CLOSE);
async function close(gate: string, message: Brought): Promise<void> {
  await CLOSE[gate]?.(message);
}

describe('a gate that closes between the reads and the commit', () => {
  it.each(GATES)('an approval is refused by %s, and keeps waiting', async (gate) => {
    const message = await bringTo(conductor, [ASKED]);
    const reply = await edge.race(
      () => approve(message.ids[0]),
      () => close(gate, message),
    );
    await conductor.mode('resume');
    expect(reply.status).toBe(409);
    expect(reply.text).toContain(gate);
    expect(await statusesOf(message.message_id)).toEqual(['awaiting_approval']);
  });

  it.each(GATES)('an instruction that a denial releases is blocked by %s', async (gate) => {
    const message = await bringTo(conductor, [ASKED, EXEC]);
    await edge.race(
      () => deny(message.ids[0]),
      () => close(gate, message),
    );
    await conductor.mode('resume');
    expect(await statusesOf(message.message_id)).toEqual(['denied', 'blocked']);
    expect(await gatesOf(message.message_id)).toEqual([null, gate]);
  });

  it('a result blocks the rest of its message when the system is paused', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, EXEC]);
    await edge.race(
      () => conductor.result(ids[0] ?? ''),
      () => conductor.mode('pause'),
    );
    await conductor.mode('resume');
    expect(await statusesOf(message_id)).toEqual(['succeeded', 'blocked']);
  });

  it.each(GATES)('a resubmitted message is not claimed, and stays stopped by %s', async (gate) => {
    const { message, ids } = await resubmitted();
    const response = await edge.race(
      () => claim(message.message_id, ids),
      () => close(gate, message),
    );
    await conductor.mode('resume');
    expect(response.instructions).toMatchObject([{ status: 'blocked', gate }]);
    expect(await statusesOf(message.message_id)).toEqual(['blocked']);
  });

  it.each(GATES)('a final message is stored, and stopped by %s', async (gate) => {
    const first = await bringTo(conductor, [], nextConversation());
    const body = conductor.message({ remote_conversation_id: first.remote, instructions: instructionsOf(EXEC) });
    const response = await edge.race(
      () => conductor.bring(body),
      () => close(gate, first),
    );
    await conductor.mode('resume');
    expect(response).toMatchObject({ ingest_status: gate, instructions: [{ status: 'blocked', gate }] });
  });
});

describe('an instruction that changes between the reads and the commit', () => {
  it('an approval of an instruction that was canceled meanwhile claims nothing', async () => {
    const { ids, message_id } = await bringTo(conductor, [ASKED]);
    const reply = await edge.race(
      () => approve(ids[0]),
      () => cancel(ids[0]),
    );
    expect(reply.status).toBe(409);
    expect(reply.text).toContain('already_finished');
    expect(await statusesOf(message_id)).toEqual(['canceled']);
    expect((await commandsFor(conductor, 'approval.decided')).some(({ body }) => body.instruction_id === ids[0])).toBe(
      false,
    );
  });

  it('a start of an instruction that was canceled meanwhile does not run it', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    const start = () => conductor.act<{ status: string }>(`/v1/instructions/${ids[0]}/started`);
    expect(await edge.race(start, () => cancel(ids[0]))).toMatchObject({ status: 'canceled' });
    expect(await statusesOf(message_id)).toEqual(['canceled']);
  });

  it('a result of an instruction that was canceled meanwhile is kept as late', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    await edge.race(
      () => conductor.result(ids[0] ?? ''),
      () => cancel(ids[0]),
    );
    expect(await statusesOf(message_id)).toEqual(['canceled']);
    expect((await storyOf(ids[0])).slice(-2)).toEqual(['ended', 'late_result']);
  });

  it('a cancellation of a claimed instruction that ended meanwhile is refused', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    const reply = await edge.race(
      () => cancel(ids[0]),
      () => conductor.result(ids[0] ?? ''),
    );
    expect(reply.text).toContain('already_finished');
    expect(await statusesOf(message_id)).toEqual(['succeeded']);
  });

  it('a cancellation of a claimed instruction that started meanwhile asks its node to end it', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    await edge.race(
      () => cancel(ids[0]),
      () => conductor.act(`/v1/instructions/${ids[0]}/started`),
    );
    expect(await statusesOf(message_id)).toEqual(['running']);
    const commands = await commandsFor(conductor, 'instruction.cancel');
    expect(commands.map(({ body }) => body.instruction_id)).toContain(ids[0]);
  });

  it('a cancellation of a running instruction that ended meanwhile sends its node no command', async () => {
    const { ids } = await bringTo(conductor, [EXEC]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    const reply = await edge.race(
      () => cancel(ids[0]),
      () => conductor.result(ids[0] ?? ''),
    );
    expect(reply.text).toContain('already_finished');
    const commands = await commandsFor(conductor, 'instruction.cancel');
    expect(commands.map(({ body }) => body.instruction_id)).not.toContain(ids[0]);
  });

  it('a browser tool that was canceled meanwhile is not sent to another node', async () => {
    await browserOf(conductor, OTHER_NODE, 'firefox-2');
    const { ids, message_id } = await bringTo(conductor, [
      { target: 'browser.chatgpt', tool: 'send', params: { prompt: 'hello' } },
    ]);
    await edge.race(
      () => conductor.act(`/v1/instructions/${ids[0]}/run`),
      () => cancel(ids[0]),
    );
    expect(await statusesOf(message_id)).toEqual(['canceled']);
    expect(await commandsFor(conductor, 'instruction', OTHER_NODE)).toEqual([]);
  });

  it('live output that another request has appended meanwhile is appended once', async () => {
    const { ids } = await bringTo(conductor, [EXEC]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    const print = () =>
      conductor.act<{ received: number }>(`/v1/instructions/${ids[0]}/output`, { offset: 0, chunk: 'one' });
    expect(await edge.race(print, print)).toMatchObject({ received: 3 });
    expect((await storyOf(ids[0])).filter((kind) => kind === 'output')).toHaveLength(1);
  });
});

describe('a message that changes between the reads and the commit', () => {
  it('a repeat of a text with and without its id at the same time is stored once', async () => {
    const { remote } = await bringTo(conductor, [], nextConversation());
    const body = conductor.message({ remote_conversation_id: remote, instructions: instructionsOf(ASKED) });
    const response = await edge.race(
      () => conductor.bring(body),
      () => conductor.bring({ ...body, assistant_message_id: null }),
    );
    expect(response.ingest_status).toBe('duplicate_only');
  });

  it('two resubmissions at the same time ask one node once', async () => {
    const message = await stopped();
    const resubmit = () =>
      edge.data<{ command_id: string }>('POST', `/v1/messages/${message.message_id}/resubmit`, { body: {} });
    let first: { command_id: string } | null = null;
    const second = await edge.race(resubmit, async () => {
      first = await resubmit();
    });
    expect(second).toEqual(first);
  });

  it('two claims of a resubmitted message at the same time claim it once', async () => {
    const { message, ids } = await resubmitted();
    const response = await edge.race(
      () => claim(message.message_id, ids),
      () => claim(message.message_id, ids),
    );
    expect(response.instructions[0]?.status).toBe('claimed');
    expect((await storyOf(ids[0])).filter((kind) => kind === 'claimed')).toHaveLength(1);
  });

  it('a claim of a message that was resubmitted again to another node meanwhile is refused', async () => {
    const { message, ids } = await resubmitted();
    const again = async () => {
      edge.now += 120_001;
      await moveBrowser(conductor, 'firefox-1', OTHER_NODE);
      await edge.data('POST', `/v1/messages/${message.message_id}/resubmit`, { body: {} });
    };
    const call = {
      token: await conductor.token(),
      body: { controller_id: NODE, instructions: verdicts(ids) },
    };
    const path = `/v1/messages/${message.message_id}/claim`;
    const reply = await edge.race(
      () => edge.call('POST', path, call),
      () => again(),
    );
    await moveBrowser(conductor, 'firefox-1', NODE);
    // The node held the message before, so it gets the current statuses; it has claimed nothing.
    expect(JSON.parse(reply.text)).toMatchObject({ data: { instructions: [{ status: 'blocked' }] } });
    expect(await statusesOf(message.message_id)).toEqual(['blocked']);
    expect(await messageStatus(message.message_id)).toBe('system_paused');
  });
});

/** A message that a pause stopped; the system runs again. */
async function stopped(): Promise<Brought> {
  await conductor.mode('pause');
  const message = await bringTo(conductor, [EXEC]);
  await conductor.mode('resume');
  return message;
}

async function resubmitted() {
  const message = await stopped();
  await edge.data('POST', `/v1/messages/${message.message_id}/resubmit`, { body: {} });
  return { message, ids: message.ids };
}

function verdicts(ids: readonly string[]) {
  return ids.map((instruction_id) => ({ instruction_id, policy: { decision: 'allow', rule: 'judged again' } }));
}

function claim(messageId: string, ids: readonly string[]) {
  return conductor.act<MessageClaimResponse>(`/v1/messages/${messageId}/claim`, { instructions: verdicts(ids) });
}
