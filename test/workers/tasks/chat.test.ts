import { describe, expect, it } from 'vitest';
import { NOTICE, TASK } from '../../../schema/defaults.ts';
import { commandsFor, reportCommandResult } from '../instructions/support.ts';
import { instructionsOf } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { SHELL, Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const SETTLE_MS = 10_000;
const CREATE = { task_type: 'shell', title: 'from a chat', goal: 'say hello', steps: [SHELL] };
let chats = 0;

/** Runs one tool of the edge in a chat. */
async function call(tool: string, params: Record<string, unknown>, remote_conversation_id: string) {
  const instructions = instructionsOf({ target: 'conductor', tool, params });
  const response = await conductor.bring(conductor.message({ remote_conversation_id, instructions }));
  const id = response.instructions[0]?.instruction_id;
  const ran = await conductor.act<{ output: string; error_code: string | null }>(`/v1/instructions/${id}/run`);
  return { ...response, ...ran };
}

/** A chat that has created a task. */
async function createdIn(more: Record<string, unknown> = {}) {
  chats += 1;
  const remote = `chat-${chats}`;
  const { output, local_conversation_id, message_id } = await call('tasks/create', { ...CREATE, ...more }, remote);
  const { task_id } = JSON.parse(output) as { task_id: string };
  return { remote, task_id, local_conversation_id, message_id };
}

const noticeOf = async (taskId: string) => {
  const rows = await rowsOf<{
    status: string;
    attempt_count: number;
    last_error: string | null;
    due_at: number | null;
  }>('SELECT status, attempt_count, last_error, due_at FROM task_notices WHERE task_id = ?', taskId);
  return rows[0];
};

/** The newest command that brings a notice of that task. */
async function noticeCommand(taskId: string) {
  const commands = await commandsFor(conductor, 'task.notice');
  const command = commands.findLast(({ body }) => body.task_id === taskId);
  if (command === undefined) throw new Error('no notice was sent');
  return command;
}

async function ended(more: Record<string, unknown> = {}) {
  const created = await createdIn(more);
  const run = await conductor.claimed();
  await conductor.complete(run, { summary: 'it said hello' });
  await conductor.heard(NODE);
  return created;
}

describe('a task that a chat creates', () => {
  it('belongs to that chat, which sees it and cancels it', async () => {
    const { task_id, remote, local_conversation_id } = await createdIn();
    expect(await conductor.detail(task_id)).toMatchObject({
      title: 'from a chat',
      local_conversation_id,
      notify: true,
      // The policy allowed it without a person.
      is_persons: false,
    });
    const seen = await call('tasks/status', { task_id }, remote);
    expect(JSON.parse(seen.output)).toMatchObject({ task_id, status: 'queued', steps: [{ status: 'pending' }] });
    const canceled = await call('tasks/cancel', { task_id }, remote);
    expect(JSON.parse(canceled.output)).toMatchObject({ status: 'canceled' });
    const again = await call('tasks/cancel', { task_id }, remote);
    expect(again).toMatchObject({ error_code: 'already_finished' });
  });

  it('is a task of a person when the policy asks, and the person sees and approves its steps', async () => {
    const policy = { decision: 'ask', rule: 'default for a new task' } as const;
    const instructions = instructionsOf({ target: 'conductor', tool: 'tasks/create', params: CREATE, policy });
    const body = conductor.message({ remote_conversation_id: 'asking-chat', instructions });
    const id = (await conductor.bring(body)).instructions[0]?.instruction_id;
    const { approval } = await edge.data<{ approval: { display: string; approval_hash: string } }>(
      'GET',
      `/v1/instructions/${id}`,
    );
    expect(approval.display).toMatch(/^step 1 of 1: shell .*\nargv: .*hello/m);
    const { approval_hash } = approval;
    await edge.data('POST', `/v1/instructions/${id}/approve`, { body: { approval_hash } });
    const { output } = await conductor.act<{ output: string }>(`/v1/instructions/${id}/run`);
    const { task_id } = JSON.parse(output) as { task_id: string };
    expect(await conductor.detail(task_id)).toMatchObject({ is_persons: true, instruction_id: id });
    await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
  });

  it('is not shown to another chat, and not canceled by it', async () => {
    const { task_id } = await createdIn();
    for (const tool of ['tasks/status', 'tasks/cancel']) {
      expect(await call(tool, { task_id }, 'another-chat')).toMatchObject({ error_code: 'task_not_found' });
    }
    expect(await conductor.statuses(task_id)).toBe('queued pending');
    await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
  });

  it('is refused while the chat has as many that have not ended as it may', async () => {
    const { remote, local_conversation_id } = await createdIn();
    const columns = (await rowsOf<{ name: string }>("SELECT name FROM pragma_table_info('tasks')")).map(
      ({ name }) => name,
    );
    const copied = columns.map((name) => (name === 'task_id' ? `'task_full' || n.value` : name)).join(', ');
    const numbers = JSON.stringify(Array.from({ length: TASK.max_open_of_chat - 2 }, (_, n) => n));
    await rowsOf(
      `INSERT INTO tasks (${columns.join(', ')}) SELECT ${copied} FROM tasks CROSS JOIN json_each('${numbers}') AS n
        WHERE local_conversation_id = ?`,
      local_conversation_id,
    );
    expect((await call('tasks/create', CREATE, remote)).error_code).toBeNull();
    const refused = await call('tasks/create', CREATE, remote);
    expect(refused).toMatchObject({ error_code: 'conflict', output: expect.stringContaining('wait for one') });
    await rowsOf("UPDATE tasks SET status = 'canceled' WHERE local_conversation_id = ?", local_conversation_id);
    await rowsOf(
      'UPDATE steps SET ready = NULL WHERE task_id IN (SELECT task_id FROM tasks WHERE local_conversation_id = ?)',
      local_conversation_id,
    );
    const { task_id } = await createdIn();
    await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
  });

  it('is refused in words when it cannot be created', async () => {
    const refused = await call('tasks/create', { ...CREATE, steps: undefined, task_type: 'unknown' }, 'refused-chat');
    expect(refused).toMatchObject({ error_code: 'invalid_request' });
    expect(refused.output).toContain('unknown has no template');
  });
});

describe('the end of a task', () => {
  it('is reported into its chat, with the result quoted', async () => {
    const { task_id } = await ended();
    await conductor.tick();
    const { command_id, body } = await noticeCommand(task_id);
    expect(body).toMatchObject({ task_id, platform: 'chatgpt', target: { tab_id: 17 } });
    expect(body.message_text).toBe(`Task \`${task_id}\` is done: from a chat\n\n> it said hello`);
    await reportCommandResult(conductor, command_id, { outcome: 'delivered', reason: null, method: 'dom' });
    expect(await noticeOf(task_id)).toMatchObject({ status: 'delivered', due_at: null });
    edge.now += NOTICE.give_up_ms;
    await conductor.tick();
    expect(await noticeOf(task_id)).toMatchObject({ attempt_count: 1 });
  });

  it('is not reported when the chat asked for no report, and not for a task without a chat', async () => {
    const { task_id } = await ended({ notify: false });
    const { task_id: persons } = await conductor.create();
    await conductor.complete(await conductor.claimed());
    expect([await noticeOf(task_id), await noticeOf(persons)]).toEqual([undefined, undefined]);
  });

  it('is reported again after a failure, and never after an attempt that may have arrived', async () => {
    const { task_id } = await ended();
    await conductor.tick();
    const first = await noticeCommand(task_id);
    await reportCommandResult(conductor, first.command_id, {
      outcome: 'failed',
      reason: 'composer_missing',
      method: null,
    });
    expect(await noticeOf(task_id)).toMatchObject({ status: 'pending', last_error: 'composer_missing' });
    edge.now += 600_000;
    await conductor.heard(NODE);
    await conductor.tick();
    const second = await noticeCommand(task_id);
    expect(second.body.plan_id).not.toBe(first.body.plan_id);
    await reportCommandResult(conductor, second.command_id, {
      outcome: 'uncertain',
      reason: 'no_evidence',
      method: null,
    });
    edge.now += NOTICE.give_up_ms;
    await conductor.tick();
    expect(await noticeOf(task_id)).toMatchObject({ status: 'uncertain', attempt_count: 2 });
  });

  it('waits for a browser that can take it', async () => {
    const { task_id } = await ended();
    await rowsOf('UPDATE conversation_links SET is_active = 0');
    await conductor.tick();
    expect(await noticeOf(task_id)).toMatchObject({ status: 'pending', last_error: 'missing_active_link' });
    await rowsOf('UPDATE conversation_links SET is_active = 1');
    edge.now += NOTICE.recheck_ms;
    await conductor.heard(NODE);
    await conductor.tick();
    expect(await noticeOf(task_id)).toMatchObject({ status: 'sending', attempt_count: 1 });
    // Its node never received the command: it was not sent, and goes again.
    edge.now += 60_000;
    await conductor.tick();
    expect(await noticeOf(task_id)).toMatchObject({ status: 'pending', last_error: 'not_received' });
  });

  it('is not reported while the system is paused', async () => {
    const { task_id } = await ended();
    await conductor.mode('pause');
    await conductor.tick();
    expect(await noticeOf(task_id)).toMatchObject({ status: 'pending', attempt_count: 0 });
    await conductor.mode('resume');
  });
});

describe('a task that holds the renewals of its chat', () => {
  it('lets its chat be renewed when it has ended', async () => {
    const { local_conversation_id, remote, task_id } = await createdIn({ hold_renewal: true, notify: false });
    await conductor.automation(local_conversation_id, 'auto');
    const { message_id } = await conductor.bring(conductor.message({ remote_conversation_id: remote }));
    edge.now += SETTLE_MS;
    await conductor.leads(NODE);
    await conductor.tick();
    const skipped = () =>
      rowsOf<{ skip_reason: string | null }>('SELECT skip_reason FROM messages WHERE message_id = ?', message_id);
    expect(await skipped()).toEqual([{ skip_reason: 'task_pending' }]);
    const detail = await edge.data<{ next_renewal: { reason: string } }>(
      'GET',
      `/v1/renewal/conversations/${local_conversation_id}`,
    );
    expect(detail.next_renewal.reason).toBe('task_pending');
    const run = await conductor.claimed();
    expect(run.task_id).toBe(task_id);
    await conductor.complete(run);
    await conductor.heard(NODE);
    await conductor.tick();
    expect(await skipped()).toEqual([{ skip_reason: null }]);
    expect(await rowsOf('SELECT status FROM renewal_jobs WHERE message_id = ?', message_id)).toHaveLength(1);
  });
});
