/**
 * Fills a database as years of work do, by bulk statements: conversations with their messages, instructions, jobs and
 * journal, and tasks with a step and a run each. Nothing of it runs or waits, except for the last few of each.
 */

import { NEW_LOG } from '../../../schema/contracts/runs.ts';

/** How many of each there are for one conversation. */
const PER_CONVERSATION = { instructions: 10, jobs: 2, tasks: 1 } as const;

const NODE = 'mini-main';
const BROWSER = 'firefox-1';

/** The ids of the conversation with that number, and of what belongs to it. `n`: which of its instructions or jobs. */
const idOf = (prefix: 'lc' | 'msg' | 'ins' | 'job' | 'task' | 'run' | 'step' | 'link', number: number, n = 0) =>
  `${prefix}_${String(number).padStart(20, '0')}${String(n).padStart(6, '0')}`;

const id = (prefix: string, number: string, n = '0') => `printf('${prefix}_%020d%06d', ${number}, ${n})`;

/** Statements that store the conversations with the numbers from `from` up to, not including, `to`. */
export function storedConversations(from: number, to: number): string[] {
  const c = `WITH RECURSIVE c(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM c WHERE i < ${to - 1})`;
  const times = (count: number) => `${c}, n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n WHERE k < ${count - 1})`;
  const { instructions, jobs } = PER_CONVERSATION;
  const at = `1700000000000 + i * 1000`;
  // One of the first is automatic, and one is paused: a list that has no index for them would read all to find them.
  const status = `CASE i WHEN 3 THEN 'auto' WHEN 4 THEN 'paused' ELSE 'manual' END`;
  return [
    `INSERT INTO local_conversations (local_conversation_id, platform, remote_conversation_id, automation_status,
      last_non_paused_automation_status, pause_reason, paused_at, title, last_message_id, last_message_at, created_at, updated_at)
      ${c} SELECT ${id('lc', 'i')}, 'claude', 'chat-' || i, ${status}, 'manual', CASE i WHEN 4 THEN 'user_pause' END,
        CASE i WHEN 4 THEN ${at} END, 'A chat about ' || i, ${id('msg', 'i', `${instructions - 1}`)}, ${at}, ${at}, ${at} FROM c`,
    `INSERT INTO conversation_links (link_id, local_conversation_id, platform, remote_conversation_id, client_id,
      controller_id, page_url, route_path, target_kind, target_id, is_active, observed_at, created_at, updated_at, route_params, target_payload)
      ${c} SELECT ${id('link', 'i')}, ${id('lc', 'i')}, 'claude', 'chat-' || i, '${BROWSER}', '${NODE}', 'https://claude.ai/chat/chat-' || i,
        '/chat/x', 'tab', 't' || i, 0, ${at}, ${at}, ${at}, '{}',
        '{"client_id":"${BROWSER}","conversation_id":null,"page_url":"","page_title":null,"tab_id":null,"shell_page":false}' FROM c`,
    `INSERT INTO messages (message_id, local_conversation_id, platform, remote_conversation_id, identity, text_hash,
      raw_text, role, controller_id, client_id, capture, block_errors, ingest_status, observed_at, received_at)
      ${times(instructions)} SELECT ${id('msg', 'i', 'k')}, ${id('lc', 'i')}, 'claude', 'chat-' || i, 'id:' || i || '-' || k, 'h' || k,
        'a text', 'assistant', '${NODE}', '${BROWSER}', '{"source":"dom","other":"agrees"}', '[]', 'executed', ${at}, ${at} FROM c, n`,
    `INSERT INTO instructions (instruction_id, dedupe_key, message_id, local_conversation_id, controller_id, block_index,
      "index", target, tool, params, status, policy, timeout_ms, created_at, updated_at)
      ${times(instructions)} SELECT ${id('ins', 'i', 'k')}, i || '-' || k, ${id('msg', 'i', 'k')}, ${id('lc', 'i')}, '${NODE}', 0, 0,
        'conductor', 'exec', '{"argv":["true"]}', 'succeeded', '{"decision":"allow","rule":"r"}', 1, ${at}, ${at} FROM c, n`,
    `INSERT INTO journal_blocks (chain, seq, at, message_id, written_by, entries, prev_hash, hash)
      ${times(instructions)} SELECT '${NODE}', i * ${instructions} + k, ${at}, ${id('msg', 'i', 'k')},
        '{"actor":"a","role":"controller","action":"POST","request_id":"r"}',
        '[{"instruction_id":"' || ${id('ins', 'i', 'k')} || '","kind":"ended","controller_id":"${NODE}","detail":{}}]', 'p', 'h' FROM c, n`,
    `INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind, attempt_count,
      max_attempts, created_at, updated_at)
      ${times(jobs)} SELECT ${id('job', 'i', 'k')}, ${id('lc', 'i')}, ${id('msg', 'i', 'k')}, 'done', '{}', 'json', 1, 3, ${at}, ${at} FROM c, n`,
    `INSERT INTO tasks (task_id, status, task_type, title, goal, acceptance, priority, constraints, notify, hold_renewal,
      metadata, created_by, is_persons, has_own_steps, step_count, waits_for, current_step_index, created_at, finished_at,
      updated_at) ${c} SELECT ${id('task', 'i')}, 'done', 'shell', 'Task ' || i, 'g', '[]', 50, '{}', 0, 0, '{}', 'a', 1, 1, 1, 0, 0,
        ${at}, ${at}, ${at} FROM c`,
    `INSERT INTO steps (step_id, task_id, step_index, kind, name, input, status, attempt, max_attempts, timeout_ms, needs,
      target, priority) ${c} SELECT ${id('step', 'i')}, ${id('task', 'i')}, 0, 'shell', 's', '{}', 'done', 1, 1, 1, '/shell', '', 50 FROM c`,
    `INSERT INTO runs (run_id, task_id, step_id, attempt, status, controller_id, claim_key, grace_ms, checkpoint_seq, log,
      created_at) ${c} SELECT ${id('run', 'i')}, ${id('task', 'i')}, ${id('step', 'i')}, 1, 'succeeded', '${NODE}', 'k' || i, 1, 0,
        '${JSON.stringify(NEW_LOG)}', ${at} FROM c`,
    `INSERT INTO ticks (batch_id, "trigger", decision, started_at, finished_at, entries)
      ${c} SELECT 'tick_' || i, 'cron', 'scheduled', ${at}, ${at}, '[]' FROM c`,
    `INSERT INTO event_batches (at, events) ${c} SELECT ${at}, '[]' FROM c`,
    `INSERT INTO audit (at, actor, role, action, request_id) ${c} SELECT ${at}, 'a', 'readonly', 'GET /', 'r' FROM c`,
    `INSERT INTO grants (grant_id, local_conversation_id, controller_id, argv, further_items, folder, uses, max_uses,
      created_by, created_at, expires_at) ${c} SELECT 'grant_' || printf('%026d', i), ${id('lc', 'i')}, '${NODE}', '["true"]', 0, '/w',
        1, 1, 'a', ${at}, ${at} FROM c`,
    `INSERT INTO leader_terms (term, holder_id, holder_host, acquired_at)
      ${c} SELECT i + 1000000, '${NODE}', 'mini', ${at} FROM c`,
    `INSERT INTO person_notices (notice_id, cause, object_id, part, since, state, attempt_count, created_at, ended_at)
      ${c} SELECT 'ntc_' || printf('%026d', i), 'approval', ${id('ins', 'i')}, '', ${at}, 'accepted', 1, ${at}, ${at} FROM c`,
  ];
}

/** Each request that the page makes to show something, for the conversation with that number. */
export function pageRequests(number: number): string[] {
  const [conversation, instruction, message] = [idOf('lc', number), idOf('ins', number), idOf('msg', number)];
  const [task, run, job] = [idOf('task', number), idOf('run', number), idOf('job', number)];
  const of = `local_conversation_id=${conversation}&limit=50`;
  const list = (path: string, filters: readonly string[]) =>
    ['', ...filters].map((filter) => `${path}?limit=25${filter === '' ? '' : `&${filter}`}`);
  const statuses = (all: string) => all.split(' ').map((status) => `status=${status}`);
  return [
    ...[
      '/v1/session',
      '/v1/status',
      '/v1/status/waiting',
      '/v1/status/next',
      '/v1/stats',
      '/v1/metrics',
      '/v1/leader',
      '/v1/system/state',
      '/v1/notices',
    ],
    ...['/v1/events?wait_ms=0', '/v1/events?last_event_id=5&wait_ms=0', '/v1/leader/terms?limit=50'],
    ...[
      '/v1/notices/hours',
      '/v1/browser?limit=200',
      '/v1/browser?client_id=firefox-1',
      '/v1/controllers?limit=25',
      '/v1/controllers/mini-main',
    ],
    ...list('/v1/renewal/conversations', [...statuses('auto manual paused'), 'platform=claude', 'platform=gemini']),
    `/v1/renewal/conversations/${conversation}`,
    ...[`/v1/renewal/conversations/${conversation}/thread?limit=25`, `/v1/messages/${message}`],
    ...[`/v1/messages?${of}`, `/v1/instructions?${of}`, `/v1/renewal/jobs?${of}`],
    ...list('/v1/instructions', [
      ...statuses(
        'claimed waiting awaiting_approval running succeeded failed denied canceled interrupted blocked expired',
      ),
      `local_conversation_id=${conversation}`,
    ]),
    `/v1/instructions/${instruction}`,
    ...list('/v1/grants', [`local_conversation_id=${conversation}`]),
    ...list('/v1/renewal/jobs', [
      ...statuses('pending running done failed canceled'),
      `local_conversation_id=${conversation}`,
    ]),
    `/v1/renewal/jobs/${job}`,
    ...list('/v1/tasks', [
      ...statuses('queued running blocked done failed canceled'),
      'repo=no-such-repo',
      'host=no-such-host',
      'host=no-such-host&status=done',
    ]),
    ...[
      `/v1/tasks/${task}`,
      `/v1/tasks/${task}/logs?wait_ms=0`,
      `/v1/runs/${run}`,
      `/v1/runs/${run}/checkpoints?limit=50`,
    ],
    '/v1/renewal/links?client_id=firefox-1&limit=50',
    ...list('/v1/timed-jobs/ticks', ['after=3']),
    ...list('/v1/tokens', ['role=readonly', 'role=ops_admin']),
    ...list('/v1/audit', ['actor=no-such-actor', 'action=GET%20%2F', 'subject_id=none']),
    ...['/v1/renewal/settings', `/v1/renewal/settings?local_conversation_id=${conversation}`],
    ...['lc_0000', 'ins_0', 'A chat about', 'no such title', 'https://claude.ai/chat/chat-1'].map(
      (q) => `/v1/search?q=${encodeURIComponent(q)}`,
    ),
    ...['a text', 'true', 'no such words'].map((q) => `/v1/search/texts?q=${encodeURIComponent(q)}`),
    `/v1/search/texts?q=no%20such%20words&local_conversation_id=${conversation}`,
  ];
}
