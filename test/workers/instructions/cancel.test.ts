import { describe, expect, it } from 'vitest';
import { Conductor, DESCRIBE, EXEC } from '../support/conductor.ts';
import {
  ASKED,
  bringTo,
  commandsFor,
  messageStatus,
  reportCommandResult,
  statusesOf,
  storyOf,
  sweep,
} from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
const cancel = (id: string | undefined, reason?: string) =>
  edge.data<{ status: string }>('POST', `/v1/instructions/${id}/cancel`, { body: { reason } });

describe('a cancellation by a person', () => {
  it('an instruction that is claimed, waits, or waits for approval is canceled at once', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, ASKED, DESCRIBE]);
    expect((await cancel(ids[2])).status).toBe('canceled');
    expect((await cancel(ids[1])).status).toBe('canceled');
    expect(await statusesOf(message_id)).toEqual(['claimed', 'canceled', 'canceled']);
    expect((await cancel(ids[0])).status).toBe('canceled');
    expect(await messageStatus(message_id)).toBe('failed');
  });

  it('the host of a running instruction gets a command, and its result says how the instruction ended', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, EXEC]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    expect((await cancel(ids[0], 'wrong folder')).status).toBe('running');
    const [command, ...more] = await commandsFor(conductor, 'instruction.cancel');
    expect([command?.body.instruction_id, more]).toEqual([ids[0], []]);
    expect(await statusesOf(message_id)).toEqual(['running', 'claimed']);
    await reportCommandResult(conductor, command?.command_id ?? '', { outcome: 'noted' });
    const { status, rest } = await conductor.result(ids[0] ?? '', { status: 'canceled' });
    expect([status, rest[0]?.status]).toEqual(['canceled', 'claimed']);
    expect(await storyOf(ids[0])).toEqual(['observed', 'judged', 'claimed', 'started', 'cancel_requested', 'ended']);
  });

  it('a running instruction whose host stays away is interrupted when its claim expires', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    await cancel(ids[0]);
    edge.now += 700_000;
    await sweep(conductor);
    expect(await statusesOf(message_id)).toEqual(['interrupted']);
    // The command expires with the claim: a host that comes back does not find it.
    expect(await commandsFor(conductor, 'instruction.cancel')).toEqual([]);
  });

  it('a cancellation of an instruction that has ended or was stopped is refused', async () => {
    const { ids } = await bringTo(conductor, [EXEC]);
    await conductor.result(ids[0] ?? '');
    const call = { body: {} };
    expect((await edge.error('POST', `/v1/instructions/${ids[0]}/cancel`, call)).error).toBe('already_finished');
    await conductor.mode('pause');
    const blocked = await bringTo(conductor, [EXEC]);
    await conductor.mode('resume');
    const error = await edge.error('POST', `/v1/instructions/${blocked.ids[0]}/cancel`, call);
    expect(error.error).toBe('already_finished');
  });
});

describe('a pause with interrupt', () => {
  it('a pause with interrupt cancels claimed instructions, and sends one command for each running one', async () => {
    // Ends what the tests before have left executing.
    edge.now += 700_000;
    await sweep(conductor);
    const running = await bringTo(conductor, [EXEC]);
    await conductor.act(`/v1/instructions/${running.ids[0]}/started`);
    const claimed = await bringTo(conductor, [EXEC]);
    const pause = () => edge.data<{ summary: string }>('POST', '/v1/system/pause', { body: { interrupt: true } });
    expect((await pause()).summary).toContain('2 canceled');
    expect(await statusesOf(claimed.message_id)).toEqual(['canceled']);
    expect(await statusesOf(running.message_id)).toEqual(['running']);
    expect((await pause()).summary).toContain('0 canceled');
    const commands = await commandsFor(conductor, 'instruction.cancel');
    expect(commands.map(({ body }) => body.instruction_id)).toEqual(running.ids);
    await conductor.result(running.ids[0] ?? '', { status: 'canceled' });
    expect(await messageStatus(running.message_id)).toBe('failed');
    await conductor.mode('resume');
  });
});
