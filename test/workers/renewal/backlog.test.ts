import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import { entriesOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

let stored = 0;
/** So many settled messages of an assistant, each in a conversation of its own with that automation. */
async function backlog(size: number, automation: 'manual' | 'paused' | 'auto' = 'manual'): Promise<void> {
  const [from, to] = [stored + 1, stored + size];
  stored = to;
  const numbers = 'WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)';
  await rowsOf(
    `INSERT INTO local_conversations (local_conversation_id, platform, remote_conversation_id, automation_status,
       last_non_paused_automation_status, last_message_id, created_at, updated_at)
     ${numbers} SELECT 'lc_many' || i, 'chatgpt', 'many-' || i, ?3, 'manual', 'msg_many' || i, 0, 0 FROM n`,
    from,
    to,
    automation,
  );
  await rowsOf(
    `INSERT INTO messages (message_id, local_conversation_id, platform, remote_conversation_id, identity, text_hash,
       raw_text, role, controller_id, client_id, capture, block_errors, ingest_status, observed_at, received_at)
     ${numbers} SELECT 'msg_many' || i, 'lc_many' || i, 'chatgpt', 'many-' || i, 'id:' || i, 'h', 't', 'assistant', 'c', 'k',
       '{"source":"dom","other":"agrees"}', '[]', 'ignored_no_instructions', ?3, ?3 FROM n`,
    from,
    to,
    edge.now,
  );
}
const jobsOf = (messageId: string) => rowsOf('SELECT 1 FROM renewal_jobs WHERE message_id = ?', messageId);
const reasons = () =>
  rowsOf<{ skip_reason: string | null; messages: number }>(
    "SELECT skip_reason, count(*) AS messages FROM messages WHERE message_id LIKE 'msg_many%' GROUP BY 1 ORDER BY 1",
  );

describe('a backlog of messages of other conversations', () => {
  it('does not hold back the message of an auto conversation behind it', async () => {
    await backlog(100, 'manual');
    await backlog(50, 'paused');
    const { message_id } = await renewals.settled();
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
    expect(await reasons()).toEqual([
      { skip_reason: 'automation_manual', messages: 100 },
      { skip_reason: 'automation_paused', messages: 50 },
    ]);
  });

  it('that is longer than one tick passes makes the next tick due at once, and the tick says that there is more', async () => {
    await backlog(1_200);
    const { message_id } = await renewals.settled();
    for (const size of [500, 500]) {
      const { batch_id } = await renewals.tick();
      expect(await entriesOf(batch_id)).toContain('renewal.projector runner_completed more');
      expect((await timedJobs(env).read()).next_due_at, `after ${size}`).toBe(edge.now);
      expect(await jobsOf(message_id)).toEqual([]);
    }
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
  });

  it('of auto conversations is projected ten in a tick, and the next tick is due at once', async () => {
    await backlog(25, 'auto');
    edge.now += 10_000;
    const projected = async () =>
      (await rowsOf('SELECT 1 FROM messages WHERE skip_reason = ?', 'missing_active_link')).length;
    for (const sofar of [10, 20]) {
      const { batch_id } = await renewals.tick();
      expect(await entriesOf(batch_id)).toContain('renewal.projector runner_completed more');
      expect(await projected()).toBe(sofar);
    }
    await renewals.tick();
    expect(await projected()).toBe(25);
  });

  it('makes a tick due for the message behind it, as soon as that has settled', async () => {
    await renewals.tick();
    await backlog(60);
    const { local_conversation_id } = await renewals.bring(renewals.message({ remote_conversation_id: 'behind' }));
    await renewals.automation(local_conversation_id, 'auto');
    await renewals.tick();
    expect((await timedJobs(env).read()).next_due_at).toBe(edge.now + 10_000);
  });
});
