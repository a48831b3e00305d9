import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { leaseFailures } from '../../../../local-agent/node/lease-failures.ts';
import { TestClock } from '../../../support/test-clock.ts';

const REFUSED = new EdgeError('status', 409, 'duplicate_node', 'another agent runs under the node id a');
const AWAY = new EdgeError('network', 0, 'network', 'connect ECONNREFUSED');

function failures() {
  const clock = new TestClock();
  const lines: { text: string; left_out: number }[] = [];
  const warn = ({ left_out }: { left_out: number }, text: string) => lines.push({ text, left_out });
  const failed = leaseFailures(clock, { warn } as never);
  return { clock, lines, failed: (error: unknown) => failed('acquire', error) };
}

describe('the log of lease requests that failed', () => {
  it('it names the refusal of the edge, and says when no response came', () => {
    const { lines, failed } = failures();
    failed(REFUSED);
    failed(AWAY);
    failed(new Error('a fault'));
    expect(lines.map(({ text }) => text)).toEqual([
      'the edge refused a lease request: duplicate_node',
      'a lease request got no response',
    ]);
  });

  it('it says the same at most once a minute, with how often it was left out', () => {
    const { clock, lines, failed } = failures();
    for (let seconds = 0; seconds <= 60; seconds += 5) {
      failed(REFUSED);
      clock.advance(5_000);
    }
    expect(lines).toEqual([
      { text: 'the edge refused a lease request: duplicate_node', left_out: 0 },
      { text: 'the edge refused a lease request: duplicate_node', left_out: 11 },
    ]);
  });

  it('it says at once when the reason changes', () => {
    const { lines, failed } = failures();
    for (const error of [REFUSED, AWAY, REFUSED]) failed(error);
    expect(lines).toHaveLength(3);
  });
});
