import { applyD1Migrations, reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';

const insertMessage = (id: string, replyOutcome: string | null) =>
  env.DB.prepare(
    `INSERT INTO messages (message_id, local_conversation_id, platform, remote_conversation_id, identity, text_hash,
      raw_text, role, controller_id, client_id, capture, block_errors, ingest_status, reply_outcome, observed_at,
      received_at)
    VALUES (?1, 'lc_1', 'claude', 'r', ?1, 'h', 't', 'assistant', 'n', 'k', '{}', '[]', 'accepted', ?2, 1, 1)`,
  ).bind(id, replyOutcome);
const insertInstruction = (id: string, messageId: string, status: string, deadline: number | null) =>
  env.DB.prepare(
    `INSERT INTO instructions (instruction_id, dedupe_key, message_id, local_conversation_id, controller_id,
      block_index, "index", target, tool, params, status, policy, timeout_ms, claim_expires_at, created_at, updated_at)
    VALUES (?1, ?1, ?2, 'lc_1', 'n', 0, CAST(substr(?1, -1) AS INTEGER), 'conductor', 'exec', '{}', ?3, '{}', 1, ?4, 1, 1)`,
  ).bind(id, messageId, status, deadline);

it('a migration gives approvals and replies the deadlines that claims held for them', async () => {
  await reset();
  const before = env.TEST_MIGRATIONS.findIndex(({ name }) => name.includes('fill_reply_due_at'));
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS.slice(0, before));
  await env.DB.batch([
    insertMessage('running', null),
    insertInstruction('ins_1', 'running', 'running', 10),
    insertMessage('asked', null),
    insertInstruction('ins_2', 'asked', 'awaiting_approval', 20),
    insertMessage('ended', null),
    insertInstruction('ins_3', 'ended', 'denied', null),
    insertInstruction('ins_4', 'ended', 'succeeded', 30),
    insertMessage('replied', 'delivered'),
    insertInstruction('ins_5', 'replied', 'succeeded', null),
  ]);
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
  const { results: messages } = await env.DB.prepare(
    'SELECT message_id, reply_due_at FROM messages ORDER BY ingest_seq',
  ).all();
  expect(messages.map(Object.values)).toEqual([
    ['running', null],
    ['asked', null],
    ['ended', 30],
    ['replied', null],
  ]);
  const { results: instructions } = await env.DB.prepare(
    'SELECT instruction_id, claim_expires_at, approval_expires_at FROM instructions ORDER BY instruction_id',
  ).all();
  expect(instructions.map(Object.values)).toEqual([
    ['ins_1', 10, null],
    ['ins_2', null, 20],
    ['ins_3', null, null],
    ['ins_4', null, null],
    ['ins_5', null, null],
  ]);
});
