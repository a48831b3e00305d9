import { expect, it } from 'vitest';
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
