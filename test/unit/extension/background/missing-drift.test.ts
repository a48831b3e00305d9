/** Parts of a page that no selector finds. */
import { describe, expect, it } from 'vitest';
import { reportMissingDrift } from '../../../../extension/background/tabs/missing-drift.ts';
import type { TrafficEvent } from '../../../../extension/background/traffic.ts';
import { Emitter } from '../../../../extension/lib/emitter.ts';
import type { PageLook } from '../../../../extension/messages.ts';
import { seenLook } from '../../../support/extension/delivery-scene.ts';
import { TestClock } from '../../../support/test-clock.ts';

const MISSING = { composer: 'missing' } as const;

function scene() {
  const traffic = new Emitter<TrafficEvent>();
  const looks = new Emitter<{ tabId: number; look: PageLook }>();
  const clock = new TestClock();
  const reported: string[] = [];
  let shown: PageLook | null = null;
  reportMissingDrift({
    traffic,
    looks,
    clock,
    platformOf: () => 'claude',
    look: async () => {
      if (shown === null) throw new Error('closed');
      return shown;
    },
    report: (platform, what) => void reported.push(`${platform} ${what}`),
  });
  const show = (look: PageLook | null) => {
    shown = look;
    if (look !== null) looks.emit({ tabId: 1, look });
  };
  const final = (conversationId: string | null) => {
    const answer = { conversationId, messageId: 'a1', userMessageId: null };
    const event = { type: 'final', answer, text: 'x', history: false } as const;
    traffic.emit({ platform: 'claude', tabId: 1, requestId: 'r1', role: 'send', at: 1, type: 'decoded', event });
  };
  return { clock, reported, show, final };
}

describe('a chat page without a composer that is known', () => {
  it('is reported as drift, once, when it has had time to draw it', async () => {
    const { clock, reported, show } = scene();
    show(seenLook('c1', MISSING));
    await clock.elapse(14_000);
    expect(reported).toEqual([]);
    show(seenLook('c1', { ...MISSING, title: 'another' }));
    await clock.elapse(1_000);
    show(seenLook('c1', MISSING));
    await clock.elapse(60_000);
    expect(reported).toEqual(['claude drift: page: composer: no selector matched']);
  });

  it('is reported again after its composer was found and lost again', async () => {
    const { clock, reported, show } = scene();
    for (const look of [MISSING, {}, MISSING]) {
      show(seenLook('c1', look));
      await clock.elapse(15_000);
    }
    expect(reported).toHaveLength(2);
  });

  it('is no drift when it draws it in time, asks to sign in, shows an obstacle, is no chat, or is gone', async () => {
    const obstacle = { kind: 'challenge', text: '', resetsAt: null } as const;
    const address = { kind: 'other', conversationId: null } as const;
    const signIn = { login: { login: 'lost', account: null } } as const;
    for (const look of [
      { ...MISSING, ...signIn },
      { ...MISSING, obstacle },
      { ...MISSING, address },
    ]) {
      const { clock, reported, show } = scene();
      show(seenLook('c1', look));
      await clock.elapse(15_000);
      expect(reported).toEqual([]);
    }
    const { clock, reported, show } = scene();
    show(seenLook('c1', MISSING));
    await clock.elapse(1_000);
    show(seenLook('c1'));
    await clock.elapse(15_000);
    show(seenLook('c1', MISSING));
    show(null);
    await clock.elapse(15_000);
    expect(reported).toEqual([]);
  });
});

describe('a page that shows no answer although its site has sent one', () => {
  it('is reported as drift, once for each time of drawing', async () => {
    const { clock, reported, show, final } = scene();
    show(seenLook('c1', { lastAnswer: null }));
    final('c1');
    final('c1');
    await clock.elapse(15_000);
    expect(reported).toEqual(['claude drift: page: answers: no selector matched']);
  });

  it('is no drift when it shows an answer, or another conversation', async () => {
    const { clock, reported, show, final } = scene();
    show(seenLook('c1'));
    final('c1');
    await clock.elapse(15_000);
    show(seenLook('c2', { lastAnswer: null }));
    final('c1');
    final(null);
    await clock.elapse(15_000);
    expect(reported).toEqual([]);
  });
});
