import { beforeEach, describe, expect, it } from 'vitest';
import { CommandPoll } from '../../../../local-agent/edge/command-poll.ts';
import type { EdgeClient, EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import { COMMAND } from '../../../../schema/defaults.ts';
import { newId } from '../../../../schema/ids.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { leaseView } from '../../../support/fake-edge.ts';

const SYSTEM = {
  mode: 'running',
  version: 1,
  since: 0,
  requested_by: null,
  reason: null,
  holder_id: null,
  lease_expires_at: null,
  term: 0,
  drained: false,
};

function command(at: number): Command {
  const body = { job_id: 'job_1', attempt: 1, plan_id: 'job_1.1', command_id: 'cmd_0' };
  return { command_id: newId('command', at), kind: 'delivery.query', body, expires_in_ms: 1_000 };
}

let clock: FakeClock;
let pending: Command[];
let held: (() => void)[];
let holds: boolean;
let told: string[];
let receipts: unknown[];
let taken: boolean;
let poll: CommandPoll;

beforeEach(() => {
  clock = new FakeClock();
  pending = [];
  held = [];
  holds = false;
  told = [];
  receipts = [];
  taken = true;
  const client: EdgeClient = {
    async call<T>({ method, path, body, schema }: EdgeRequest<T>): Promise<T> {
      if (holds) await new Promise<void>((resolve) => held.push(resolve));
      if (path === '/v1/system/state') return schema.parse(SYSTEM);
      if (path === '/v1/leader') return schema.parse(leaseView());
      if (method === 'POST') {
        receipts.push(body);
        return schema.parse({ receipts: 1 });
      }
      return schema.parse({ items: pending, next_cursor: null });
    },
    async close() {},
  };
  poll = new CommandPoll({
    client,
    nodeId: 'a',
    clock,
    random: () => 0,
    onCoordination: () => told.push('coordination'),
    onCommand: ({ command_id }) => {
      told.push(command_id);
      return taken ? { command_id, accepted: true } : null;
    },
  });
});

const due = () => clock.advance(COMMAND.poll_interval_ms);

describe('the edge without a socket', () => {
  it('tells mode and lease before any command', async () => {
    pending = [command(1)];
    poll.start();
    await due();
    expect(told).toEqual(['coordination', pending[0]?.command_id]);
  });

  it('brings what is pending again, so that nothing made early and committed late is passed over', async () => {
    const [early, late] = [command(1), command(2)];
    pending = [late];
    poll.start();
    await due();
    pending = [early, late];
    await due();
    expect(told.filter((what) => what === early.command_id)).toHaveLength(1);
    expect(told.filter((what) => what === late.command_id)).toHaveLength(2);
  });

  it('says what was taken, and nothing of a command that could not be stored', async () => {
    pending = [command(1)];
    taken = false;
    poll.start();
    await due();
    expect(receipts).toEqual([]);
    taken = true;
    await due();
    expect(receipts).toEqual([{ receipts: [{ command_id: pending[0]?.command_id, accepted: true }] }]);
  });

  it('says nothing of a question that was under way when a socket took over', async () => {
    poll.start();
    holds = true;
    await due();
    poll.stop();
    for (const answer of held) answer();
    await clock.settle();
    expect(told).toEqual([]);
  });

  it('asks once per interval, also when it was stopped and started during a question', async () => {
    poll.start();
    holds = true;
    await due();
    poll.stop();
    poll.start();
    holds = false;
    for (const answer of held) answer();
    await clock.settle();
    for (let round = 0; round < 3; round += 1) await due();
    expect(told).toEqual(['coordination', 'coordination', 'coordination']);
  });
});
