import { beforeEach, describe, expect, it } from 'vitest';
import { CommandPoll } from '../../../../local-agent/edge/command-poll.ts';
import type { EdgeClient, EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import { COMMAND } from '../../../../schema/defaults.ts';
import { newId } from '../../../../schema/ids.ts';
import { leaseView } from '../../../support/fake-edge.ts';
import { TestClock } from '../../../support/test-clock.ts';

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

let clock: TestClock;
let pending: Command[];
let held: (() => void)[];
let holds: boolean;
let seen: string[];
let receipts: unknown[];
let taken: boolean;
let poll: CommandPoll;

beforeEach(() => {
  clock = new TestClock();
  pending = [];
  held = [];
  holds = false;
  seen = [];
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
    onCoordination: () => seen.push('coordination'),
    onCommand: ({ command_id }) => {
      seen.push(command_id);
      return taken ? { command_id, accepted: true } : null;
    },
    onFailure: () => undefined,
  });
});

const due = () => clock.elapse(COMMAND.poll_interval_ms);

describe('the poll while the channel is down', () => {
  it('mode and lease are reported before any command of the same poll', async () => {
    pending = [command(1)];
    poll.start();
    await due();
    expect(seen).toEqual(['coordination', pending[0]?.command_id]);
  });

  it('every poll brings all pending commands, so one that was committed late is not missed', async () => {
    const [early, late] = [command(1), command(2)];
    pending = [late];
    poll.start();
    await due();
    pending = [early, late];
    await due();
    expect(seen.filter((what) => what === early.command_id)).toHaveLength(1);
    expect(seen.filter((what) => what === late.command_id)).toHaveLength(2);
  });

  it('a receipt is sent for each taken command, and none for one that could not be stored', async () => {
    pending = [command(1)];
    taken = false;
    poll.start();
    await due();
    expect(receipts).toEqual([]);
    taken = true;
    await due();
    expect(receipts).toEqual([{ receipts: [{ command_id: pending[0]?.command_id, accepted: true }] }]);
  });

  it('the response to a poll from before the channel came up is ignored', async () => {
    poll.start();
    holds = true;
    await due();
    poll.stop();
    for (const respond of held) respond();
    await clock.flush();
    expect(seen).toEqual([]);
  });

  it('one poll runs per interval, also after a stop and a start during a request', async () => {
    poll.start();
    holds = true;
    await due();
    poll.stop();
    poll.start();
    holds = false;
    for (const respond of held) respond();
    await clock.flush();
    for (let round = 0; round < 3; round += 1) await due();
    expect(seen).toEqual(['coordination', 'coordination', 'coordination']);
  });
});
