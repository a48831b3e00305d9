import { describe, expect, it } from 'vitest';
import type { CommandHandlers } from '../../../../local-agent/edge/commands.ts';
import { reportCommandResult, takeCommand } from '../../../../local-agent/edge/commands.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import { TestClock } from '../../../support/test-clock.ts';

const query: Command = {
  command_id: 'cmd_01j00000000000000000000000',
  expires_in_ms: 1_000,
  kind: 'delivery.query',
  body: { job_id: 'job', attempt: 1, plan_id: 'job.1', command_id: 'cmd_01j00000000000000000000001' },
};

function setUp(onQuery: CommandHandlers['delivery.query']) {
  const store = openTestStore(new TestClock());
  const handlers = commandHandlers({ 'delivery.query': onQuery });
  return { store, take: () => takeCommand(store, handlers, query, 5) };
}

describe('a command', () => {
  it('a command is executed once, however often it arrives', () => {
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

  it('a command that could not be stored can be taken when it arrives again', () => {
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

  it('a refused command can be taken when it arrives again', () => {
    let isReady = false;
    const { take } = setUp(() => (isReady ? { accepted: true } : { accepted: false, code: 'no_active_client' }));
    expect(take()).toEqual({ command_id: query.command_id, accepted: false, code: 'no_active_client' });
    isReady = true;
    expect(take()).toMatchObject({ accepted: true });
  });

  it('the consequences of a command follow after its commit', () => {
    const seen: unknown[] = [];
    const { store, take } = setUp(() => ({
      accepted: true,
      afterCommit: () => seen.push([store.db.isTransaction, store.seenCommands.find(query.command_id)?.received_at]),
    }));
    take();
    expect(seen).toEqual([[false, 5]]);
  });
});
