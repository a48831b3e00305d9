/** Fills the local D1 with renewal jobs: half of them done, half pending far in the future, each of its own conversation. */
import type { Miniflare } from 'miniflare';

/** When the first pending job is due, Unix milliseconds, in the far future. The next is due a millisecond later. */
export const FAR = 4_000_000_000_000;
/** Jobs that have a conversation, a link and a message, so that they can be sent. */
export const REACHABLE = 10;
const ROWS_PER_STATEMENT = 50_000;

const SERIES = 'WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)';
const JOBS = `${SERIES} INSERT INTO renewal_jobs
  (job_id, local_conversation_id, message_id, status, payload, payload_kind, payload_text, attempt_count, max_attempts,
   next_attempt_at, finished_at, created_at, updated_at)
  SELECT 'job_' || printf('%026d', i), 'lc_' || printf('%026d', i), 'msg_' || printf('%026d', i),
    iif(i < ?3, 'pending', 'done'), 'Go on with what you were doing.', 'text', 'Go on with what you were doing.', 0, 3,
    iif(i < ?3, ${FAR} + i, NULL), iif(i < ?3, NULL, i), i, i FROM n`;
const CONVERSATIONS = `${SERIES} INSERT INTO local_conversations
  (local_conversation_id, platform, remote_conversation_id, automation_status, last_non_paused_automation_status,
   last_message_id, last_message_at, created_at, updated_at)
  SELECT 'lc_' || printf('%026d', i), 'claude', 'remote-' || i, 'auto', 'auto', 'msg_' || printf('%026d', i), i, i, i FROM n`;
const MESSAGES = `${SERIES} INSERT INTO messages
  (message_id, local_conversation_id, platform, remote_conversation_id, identity, text_hash, raw_text, role,
   controller_id, client_id, capture, block_errors, ingest_status, observed_at, received_at)
  SELECT 'msg_' || printf('%026d', i), 'lc_' || printf('%026d', i), 'claude', 'remote-' || i, 'id:' || i, 'hash-' || i,
    'A message.', 'assistant', ?3, 'client-1', '{"source":"network","other":"absent"}', '[]',
    'ignored_no_instructions', i, i FROM n`;
const PAGE = "'https://claude.ai/chat/remote-' || i";
const LINKS = `${SERIES} INSERT INTO conversation_links
  (link_id, local_conversation_id, platform, remote_conversation_id, client_id, controller_id, page_url, route_path,
   route_params, target_kind, target_id, target_payload, is_active, observed_at, created_at, updated_at)
  SELECT 'link_' || printf('%026d', i), 'lc_' || printf('%026d', i), 'claude', 'remote-' || i, 'client-1', ?3, ${PAGE},
    '/chat/remote-' || i, '{}', 'browser.proxy_delivery', 'tab:' || (i + 1),
    json_object('client_id', 'client-1', 'conversation_id', 'remote-' || i, 'page_url', ${PAGE}, 'page_title', NULL,
      'tab_id', i + 1, 'shell_page', json('false')), 1, i, i, i FROM n`;

/** Stores that many jobs; the conversations of the reachable ones are linked to that node. */
export async function storeJobs(runtime: Miniflare, count: number, nodeId: string): Promise<void> {
  const db = await runtime.getD1Database('DB');
  for (let from = 0; from < count; from += ROWS_PER_STATEMENT) {
    const to = Math.min(count, from + ROWS_PER_STATEMENT);
    await db
      .prepare(JOBS)
      .bind(from, to, Math.max(REACHABLE, count / 2))
      .run();
  }
  await db.batch([
    db.prepare(`${CONVERSATIONS} WHERE ?3 IS NOT NULL`).bind(0, REACHABLE, nodeId),
    db.prepare(MESSAGES).bind(0, REACHABLE, nodeId),
    db.prepare(LINKS).bind(0, REACHABLE, nodeId),
  ]);
}

/** Makes the first `count` jobs due now; they become pending again. */
export async function makeDue(runtime: Miniflare, count: number, now: number): Promise<void> {
  const db = await runtime.getD1Database('DB');
  await db
    .prepare("UPDATE renewal_jobs SET status = 'pending', next_attempt_at = ?1, deadline_at = NULL WHERE job_id < ?2")
    .bind(now, `job_${String(count).padStart(26, '0')}`)
    .run();
}

/** Rows that the same pick reads when nothing helps it. */
export async function rowsWithoutIndex(runtime: Miniflare, now: number, limit: number): Promise<number> {
  const db = await runtime.getD1Database('DB');
  const { meta } = await db
    .prepare(
      `SELECT job_id FROM renewal_jobs NOT INDEXED WHERE status = 'pending' AND next_attempt_at <= ?1
       ORDER BY next_attempt_at LIMIT ?2`,
    )
    .bind(now, limit)
    .run();
  return meta.rows_read;
}
