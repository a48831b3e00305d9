/** A limit that a response names, beside what the page shows. */
import { describe, expect, it } from 'vitest';
import { reportLimitDrift } from '../../../../extension/background/tabs/limit-drift.ts';
import type { TrafficEvent } from '../../../../extension/background/traffic.ts';
import { Emitter } from '../../../../extension/lib/emitter.ts';
import type { PageLook } from '../../../../extension/messages.ts';
import { seenLook } from '../../../support/extension/delivery-scene.ts';
import { TestClock } from '../../../support/test-clock.ts';

async function reports(look: Partial<PageLook> | 'gone', type: 'limit' | 'challenge' = 'limit'): Promise<string[]> {
  const traffic = new Emitter<TrafficEvent>();
  const clock = new TestClock();
  const reported: string[] = [];
  reportLimitDrift({
    traffic,
    clock,
    look: async () => {
      if (look === 'gone') throw new Error('closed');
      return seenLook('c1', look);
    },
    report: (platform, what) => void reported.push(`${platform} ${what}`),
  });
  const event = type === 'limit' ? ({ type, resetsInMs: null, resetsAt: null, reason: '1037' } as const) : { type };
  const from = { platform: 'gemini', tabId: 1, requestId: 'r1', role: 'send', at: 1 } as const;
  traffic.emit({ ...from, type: 'decoded', event });
  traffic.emit({ ...from, type: 'decoded', event });
  await clock.elapse(5_000);
  return reported;
}

const obstacle = { kind: 'limit', text: '', resetsAt: null } as const;

describe('a limit that a response names', () => {
  it('is reported as drift, once, when the page shows no notice that is known', async () => {
    expect(await reports({})).toEqual(['gemini drift: page: the notice of a limit was not found']);
  });

  it('is no drift when the page shows the notice, or is gone', async () => {
    expect(await reports({ obstacle })).toEqual([]);
    expect(await reports('gone')).toEqual([]);
  });

  it('is not looked for after another event', async () => {
    expect(await reports({}, 'challenge')).toEqual([]);
  });
});
