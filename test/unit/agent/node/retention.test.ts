import { describe, expect, it } from 'vitest';
import type { NewMessage } from '../../../../local-agent/instructions/execution-store.ts';
import { ExecutionStore } from '../../../../local-agent/instructions/execution-store.ts';
import { Retention } from '../../../../local-agent/node/retention.ts';
import { AGENT_KEEPS } from '../../../../schema/defaults.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { TestClock } from '../../../support/test-clock.ts';

const ROW = { stream: 'node', kind: 'client', method: 'PUT', path: '/v1/x', body: {}, context: {} } as const;
const REFUSAL = { status: 404, code: 'not_found', message: 'no' };

it('old commands and refused rows are deleted at the start and daily, and nothing else', async () => {
  const clock = new TestClock();
  const store = openTestStore(clock);
  // One transaction: a synced commit for each row would take seconds.
  store.transaction(() => {
    for (let made = 0; made <= AGENT_KEEPS.refused_rows; made += 1) {
      store.outbox.refuse(store.outbox.append(ROW).id, REFUSAL);
    }
  });
  store.outbox.append(ROW);
  store.seenCommands.take('cmd_old', 'delivery', clock.now());
  const retention = new Retention(store, clock);
  retention.start();
  expect(store.outbox.refused(AGENT_KEEPS.refused_rows + 1)).toHaveLength(AGENT_KEEPS.refused_rows);
  expect(store.outbox.refused(1)[0]?.key).toBe(`box/node/${AGENT_KEEPS.refused_rows + 1}`);
  expect(store.outbox.pendingCount()).toBe(1);
  await clock.elapse(AGENT_KEEPS.commands_ms - AGENT_KEEPS.look_interval_ms);
  store.seenCommands.take('cmd_new', 'delivery', clock.now());
  expect(store.seenCommands.find('cmd_old')).not.toBeNull();
  await clock.elapse(2 * AGENT_KEEPS.look_interval_ms);
  expect(store.seenCommands.find('cmd_old')).toBeNull();
  expect(store.seenCommands.find('cmd_new')).not.toBeNull();
  retention.stop();
});

describe('finished messages', () => {
  const MESSAGE = {
    client_id: 'firefox-1',
    platform: 'chatgpt',
    remote_conversation_id: 'c1',
    local_conversation_id: 'lc_1',
    ingest_status: 'accepted',
    target: {
      client_id: 'firefox-1',
      conversation_id: 'c1',
      page_url: 'https://chatgpt.com/c/c1',
      page_title: null,
      tab_id: 7,
      shell_page: false,
    },
    assistant_message_id: 'a1',
    block_errors: [],
  } satisfies Partial<NewMessage>;
  const EXECUTION = {
    name: 'conductor::exec',
    params: {},
    status: 'succeeded',
    gate: null,
    claim_until: null,
  } as const;

  it('are deleted with their executions after thirty days, however many, and open ones are kept', async () => {
    const clock = new TestClock();
    const store = openTestStore(clock);
    const ledger = new ExecutionStore(store.db);
    const add = (id: string, state: 'executing' | 'replying' | 'done', created_at: number): void => {
      const execution = { ...EXECUTION, instruction_id: `ins_${id}`, message_id: id, idx: 0 };
      ledger.add({ ...MESSAGE, message_id: id, state, created_at }, [execution]);
    };
    const old = clock.now() - AGENT_KEEPS.messages_ms - 1;
    store.transaction(() => {
      for (let count = 0; count < 1_000; count += 1) add(`done_${count}`, 'done', old);
      add('executing', 'executing', old);
      add('replying', 'replying', old);
      add('unreported', 'done', old);
      ledger.setProgressPending('unreported', true);
      add('recent', 'done', clock.now());
    });
    const retention = new Retention(store, clock);
    retention.start();
    await clock.elapse(60_000);
    const idsOf = (table: string) =>
      store.db
        .prepare(`SELECT message_id FROM ${table}`)
        .all()
        .map((row) => row.message_id);
    for (const table of ['messages', 'executions']) {
      expect(idsOf(table).sort()).toEqual(['executing', 'recent', 'replying', 'unreported']);
    }
    retention.stop();
  });
});
