import { describe, expect, it } from 'vitest';
import type { CommandHandlers } from '../../../../local-agent/edge/commands.ts';
import { reportCommandResult, takeCommand } from '../../../../local-agent/edge/commands.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const query: Command = {
  command_id: 'cmd_01j00000000000000000000000',
  expires_in_ms: 1_000,
  kind: 'delivery.query',
  body: { job_id: 'job', attempt: 1, plan_id: 'job.1', command_id: 'cmd_01j00000000000000000000001' },
};

function setUp(onQuery: CommandHandlers['delivery.query']) {
  const store = openTestStore(new FakeClock());
  const handlers = commandHandlers({ 'delivery.query': onQuery });
  return { store, take: () => takeCommand(store, handlers, query, 5) };
}

describe('a command', () => {
  it('is executed once, however often it is sent', () => {
    let effects = 0;
    const { take } = setUp(() => {
      effects += 1;
      return { accepted: true };
    });
    expect([take(), take()]).toEqual([
      { command_id: query.command_id, accepted: true },
      { command_id: query.command_id, accepted: true },
    ]);
    expect(effects).toBe(1);
  });

  it('comes again when the host failed while taking it', () => {
    let isBroken = true;
    const { store, take } = setUp((command) => {
      reportCommandResult(store, 'node-a', command.command_id, { outcome: 'unknown' });
      if (isBroken) throw new Error('disk full');
      return { accepted: true };
    });
    expect(take).toThrow('disk full');
    expect(store.outbox.pendingCount()).toBe(0);
    isBroken = false;
    expect(take()).toMatchObject({ accepted: true });
    expect(store.outbox.head('node')?.path).toBe(`/v1/commands/${query.command_id}/result`);
  });

  it('that is refused may be sent again', () => {
    let isReady = false;
    const { take } = setUp(() => (isReady ? { accepted: true } : { accepted: false, code: 'no_active_client' }));
    expect(take()).toEqual({ command_id: query.command_id, accepted: false, code: 'no_active_client' });
    isReady = true;
    expect(take()).toMatchObject({ accepted: true });
  });

  it('has its consequences only after it was stored', () => {
    const seen: unknown[] = [];
    const { store, take } = setUp(() => ({
      accepted: true,
      afterCommit: () => seen.push([store.db.isTransaction, store.seenCommands.find(query.command_id)?.received_at]),
    }));
    take();
    expect(seen).toEqual([[false, 5]]);
  });
});
