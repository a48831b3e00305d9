/** What is done about an answer that does not end. */
import { describe, expect, it } from 'vitest';
import type { RecoveryDeps } from '../../../../extension/background/recovery/recovery.ts';
import { startRecovery } from '../../../../extension/background/recovery/recovery.ts';
import type { StoredRecovery } from '../../../../extension/background/recovery/stored-recovery.ts';
import { NO_RECOVERY, RecoverySchema } from '../../../../extension/background/recovery/stored-recovery.ts';
import type { TrafficEvent } from '../../../../extension/background/traffic.ts';
import type { PageLook } from '../../../../extension/messages.ts';
import type { DecodedEvent } from '../../../../extension/sites/decoder.ts';
import type { SeenSend } from '../../../../extension/sites/facts.ts';
import { seenLook, seenSend } from '../../../support/extension/delivery-scene.ts';
import { TestClock } from '../../../support/test-clock.ts';

const MINUTE = 60_000;
const answer = { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' };
const PROGRESS: DecodedEvent = { type: 'progress', answer, chars: 1 };

class Scene {
  readonly clock: TestClock;
  /** What was done, with the minute at which it was. */
  readonly acts: string[] = [];
  readonly reports: string[] = [];
  page: PageLook | null = seenLook('c1');
  isOpen = true;
  busy = new Set<number>();
  onWrite: (state: StoredRecovery) => Promise<void> | void = () => undefined;
  isOn = true;
  isPaused = false;
  /** Conversations that something is being done about. */
  helped: string[] = [];
  /** What storage has; null: it cannot be written. */
  stored: { value: StoredRecovery } | null;
  #listen: (event: TrafficEvent) => void = () => undefined;
  readonly recovery: ReturnType<typeof startRecovery>;

  constructor(value: StoredRecovery = NO_RECOVERY, clock = new TestClock(), start = clock.now()) {
    this.clock = clock;
    this.stored = { value };
    const act = (what: string) => void this.acts.push(`${Math.round((this.clock.now() - start) / MINUTE)} ${what}`);
    const deps: RecoveryDeps = {
      traffic: {
        on: (listener) => {
          this.#listen = listener;
          return () => undefined;
        },
      },
      clock: this.clock,
      look: () => {
        act('look');
        return this.page === null ? Promise.reject(new Error('no page')) : Promise.resolve(this.page);
      },
      tabs: {
        isThere: () => Promise.resolve(this.isOpen),
        reload: () => Promise.resolve(act('reload')),
      },
      reread: () => Promise.resolve(act('read')),
      busyTabs: () => this.busy,
      isOn: () => this.isOn,
      isPaused: () => this.isPaused,
      onHelped: (turns) => {
        this.helped = turns.map(({ conversationId }) => conversationId);
      },
      storage: {
        read: () => Promise.resolve(RecoverySchema.parse(structuredClone(this.stored?.value))),
        write: async (state) => {
          await this.onWrite(state);
          if (this.stored === null) throw new Error('QuotaExceededError');
          this.stored.value = structuredClone(state);
        },
      },
      diagnostic: (level, message) => void this.reports.push(`${level} ${message}`),
    };
    this.recovery = startRecovery(deps);
  }

  send(conversationId: string | null = 'c1', more: Partial<SeenSend> = {}): void {
    this.#listen({ ...this.#source(), type: 'send', send: { ...seenSend(), conversationId, ...more } });
  }

  decode(event: DecodedEvent, requestId = 'r'): void {
    this.#listen({ ...this.#source(), requestId, type: 'decoded', event });
  }

  #source() {
    return { platform: 'chatgpt' as const, tabId: 17, requestId: 'r', role: 'send' as const, at: this.clock.now() };
  }
}

const without = (acts: string[], what: string) => acts.filter((act) => !act.endsWith(what));

describe('an answer that does not end', () => {
  it('is looked at, read again, and its page loaded again three times at growing waits, then left to a person', async () => {
    const scene = new Scene();
    scene.send();
    await scene.clock.elapse(120 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['4 read', '5 reload', '7 reload', '12 reload']);
    expect(scene.acts[0]).toBe('4 look');
    expect(scene.reports.at(-1)).toBe('warn the answer has not ended after 3 reloads: its tab needs a person');
  });

  it.each<[string, (scene: Scene) => void]>([
    ['a final answer', (scene) => scene.decode({ type: 'final', answer, text: 'x', history: false })],
    ['the word that it is over, as after a stop', (scene) => scene.recovery.over('chatgpt', 'c1')],
    ['a limit of the site', (scene) => scene.decode({ type: 'limit', resetsInMs: null, resetsAt: null, reason: '' })],
    ['a failure of the turn', (scene) => scene.decode({ type: 'error', reason: 'x' })],
    ['a security check', (scene) => scene.decode({ type: 'challenge' })],
  ])('is over with %s, and nothing is done', async (_what, end) => {
    const scene = new Scene();
    scene.send();
    await scene.clock.elapse(MINUTE);
    end(scene);
    await scene.clock.elapse(120 * MINUTE);
    expect(scene.acts).toEqual([]);
  });

  it('that grows is left alone, and progress ends the ladder at any rung', async () => {
    const scene = new Scene();
    scene.send();
    for (let minute = 0; minute < 30; minute += 3) {
      await scene.clock.elapse(3 * MINUTE);
      scene.decode(PROGRESS);
    }
    expect(scene.acts).toEqual([]);
    await scene.clock.elapse(5 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['34 read', '35 reload']);
    scene.decode(PROGRESS);
    await scene.clock.elapse(3 * MINUTE);
    expect(scene.acts.at(-1)).toBe('35 reload');
  });

  it('of another conversation says nothing of this one', async () => {
    const scene = new Scene();
    scene.send();
    scene.decode({ type: 'final', answer: { ...answer, conversationId: 'c2' }, text: 'x', history: false });
    await scene.clock.elapse(5 * MINUTE);
    expect(scene.acts).toContain('4 read');
  });

  it.each<[string, Partial<PageLook>]>([
    ['the composer holds a text', { composer: 'draft' }],
    ['the person types', { typedAgoMs: 60_000 }],
    ['the page asks for permission', { obstacle: { kind: 'permission', text: '', resetsAt: null } }],
    ['a security check is shown', { obstacle: { kind: 'challenge', text: '', resetsAt: null } }],
  ])('is not reloaded while %s, but afterwards', async (_what, look) => {
    const scene = new Scene();
    scene.send();
    scene.page = seenLook('c1', look);
    await scene.clock.elapse(30 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['4 read']);
    scene.page = seenLook('c1');
    await scene.clock.elapse(2 * MINUTE);
    expect(scene.acts.at(-1)).toMatch(/reload$/);
  });

  it('is not reloaded while a message is being sent in its tab', async () => {
    const scene = new Scene();
    scene.send();
    scene.busy = new Set([17]);
    await scene.clock.elapse(30 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['4 read']);
  });

  it.each<[string, (scene: Scene) => void]>([
    [
      'the tab was closed',
      (scene) => {
        scene.page = null;
        scene.isOpen = false;
      },
    ],
    [
      'the tab shows another conversation',
      (scene) => {
        scene.page = seenLook('c2');
      },
    ],
  ])('is left alone when %s', async (_what, change) => {
    const scene = new Scene();
    scene.send();
    change(scene);
    await scene.clock.elapse(60 * MINUTE);
    expect(scene.acts).toEqual(['4 look']);
  });

  it('in a tab that the browser has unloaded is loaded again', async () => {
    const scene = new Scene();
    scene.send();
    scene.page = null;
    await scene.clock.elapse(5 * MINUTE);
    expect(scene.acts).toEqual(['4 look', '4 reload']);
  });

  it('in a conversation without a lasting id is never reloaded, since that would lose it', async () => {
    const scene = new Scene();
    scene.send(null);
    await scene.clock.elapse(60 * MINUTE);
    scene.send(null, { isTemporary: true });
    scene.decode(PROGRESS);
    await scene.clock.elapse(60 * MINUTE);
    expect(scene.acts).toEqual([]);
  });

  it.each<[string, DecodedEvent]>([
    ['its acceptance', { type: 'accepted', conversationId: 'c1', userMessageId: 'u1' }],
    ['its first words', PROGRESS],
    ['the connection that it follows on', { type: 'handoff', conversationId: 'c1' }],
  ])('is watched in a new chat from the moment that %s names the lasting id', async (_what, event) => {
    const scene = new Scene();
    scene.send(null);
    await scene.clock.elapse(MINUTE);
    scene.decode({ type: 'progress', answer: { ...answer, conversationId: null }, chars: 1 });
    scene.decode(event);
    await scene.clock.elapse(6 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['5 read', '6 reload']);
  });

  it('in a new chat is not taken for one of the conversation that the tab showed before', async () => {
    const scene = new Scene();
    scene.send(null);
    scene.decode({ ...PROGRESS, answer: { ...answer, conversationId: 'c0' } }, 'an earlier request');
    await scene.clock.elapse(60 * MINUTE);
    expect(scene.acts).toEqual([]);
  });

  it('is read again but not reloaded when the page itself marks it as over', async () => {
    const scene = new Scene();
    scene.send();
    scene.page = seenLook('c1', { isOver: true });
    await scene.clock.elapse(120 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['4 read']);
    expect(scene.reports.at(-1)).toBe('warn a quiet turn is over, as its page shows: the page is not loaded again');
  });

  it('is not reloaded while the system is paused, but afterwards', async () => {
    const scene = new Scene();
    scene.send();
    scene.isPaused = true;
    await scene.clock.elapse(30 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['4 read']);
    scene.isPaused = false;
    await scene.clock.elapse(2 * MINUTE);
    expect(scene.acts.at(-1)).toMatch(/reload$/);
  });

  it.each([0, 4.5])('is left alone when its site is turned off after %s minutes, and forgotten', async (minutes) => {
    const scene = new Scene();
    scene.send();
    await scene.clock.elapse(minutes * MINUTE);
    scene.isOn = false;
    await scene.clock.elapse(60 * MINUTE);
    scene.isOn = true;
    await scene.clock.elapse(60 * MINUTE);
    expect(scene.acts.filter((act) => act.endsWith('reload'))).toEqual([]);
    expect(scene.stored?.value.turns).toEqual([]);
  });

  it('on a site that is turned off is not watched', async () => {
    const scene = new Scene();
    scene.isOn = false;
    scene.send();
    await scene.clock.flush();
    scene.isOn = true;
    await scene.clock.elapse(60 * MINUTE);
    expect(scene.acts).toEqual([]);
  });

  it('is not reloaded when a person has it left alone while that is being stored', async () => {
    const scene = new Scene();
    scene.send();
    scene.onWrite = async ({ reloads }) => {
      if (reloads.length === 0) return;
      scene.onWrite = () => undefined;
      scene.recovery.over('chatgpt', 'c1');
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    };
    await scene.clock.elapse(6 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['4 read']);
  });

  it('is shown to people from the reading on, until it is over or a person has it left alone', async () => {
    const scene = new Scene();
    scene.send();
    await scene.clock.elapse(3 * MINUTE);
    expect(scene.helped).toEqual([]);
    await scene.clock.elapse(3 * MINUTE);
    expect(scene.helped).toEqual(['c1']);
    scene.recovery.over('chatgpt', 'c1');
    await scene.clock.elapse(120 * MINUTE);
    expect(scene.helped).toEqual([]);
    expect(without(scene.acts, 'look')).toEqual(['4 read', '5 reload']);
  });

  it('costs a conversation at most three reloads an hour, over all its turns', async () => {
    const scene = new Scene();
    scene.send();
    await scene.clock.elapse(25 * MINUTE);
    scene.send();
    await scene.clock.elapse(30 * MINUTE);
    expect(scene.acts.filter((act) => act.endsWith('reload'))).toHaveLength(3);
    await scene.clock.elapse(30 * MINUTE);
    expect(scene.acts.filter((act) => act.endsWith('reload')).length).toBeGreaterThan(3);
  });
});

describe('the ladder over a restart of the background page', () => {
  /** The background page ends after so many minutes, without a chance to do anything, and begins again at once. */
  async function restartAfter(minutes: number): Promise<{ before: Scene; after: Scene }> {
    const before = new Scene();
    before.send();
    await before.clock.elapse(minutes * MINUTE);
    const value = before.stored?.value ?? NO_RECOVERY;
    before.recovery.stop();
    before.stored = null;
    return { before, after: new Scene(value, before.clock, before.clock.now() - minutes * MINUTE) };
  }

  it.each([2, 4.5, 6, 8, 13])(
    'continues at its rung %s minutes after the question, and repeats no reload',
    async (minutes) => {
      const { before, after } = await restartAfter(minutes);
      await before.clock.elapse(120 * MINUTE);
      const acts = without([...before.acts, ...after.acts], 'look');
      expect(acts).toEqual(['4 read', '5 reload', '7 reload', '12 reload']);
      expect(after.reports.at(-1)).toContain('after 3 reloads');
    },
  );

  it('makes a look again that was under way', async () => {
    const before = new Scene();
    before.send();
    before.page = null;
    await before.clock.elapse(3 * MINUTE);
    const turn = before.stored?.value.turns[0];
    const after = new Scene({ turns: turn === undefined ? [] : [{ ...turn, wakeAt: null }], reloads: [] });
    await after.clock.elapse(1);
    expect(after.acts).toContain('0 look');
  });

  it('remembers the reloads of an hour', async () => {
    const { after } = await restartAfter(14);
    after.send();
    await after.clock.elapse(30 * MINUTE);
    expect(after.acts.filter((act) => act.endsWith('reload'))).toEqual([]);
  });

  it('has forgotten a turn that was over', async () => {
    const before = new Scene();
    before.send();
    before.recovery.over('chatgpt', 'c1');
    await before.clock.flush();
    expect(before.stored?.value.turns).toEqual([]);
  });

  it('reloads nothing that it could not store before', async () => {
    const scene = new Scene();
    scene.send();
    await scene.clock.elapse(4 * MINUTE);
    scene.stored = null;
    await scene.clock.elapse(30 * MINUTE);
    expect(without(scene.acts, 'look')).toEqual(['4 read']);
  });

  it('drops a record that cannot be read, and no other one with it', () => {
    const turn = {
      platform: 'chatgpt',
      tabId: 17,
      conversationId: 'c1',
      openedAt: 1,
      rung: 'quiet',
      reloads: 0,
      wakeAt: 2,
    };
    const parsed = RecoverySchema.parse({ turns: [{ ...turn, rung: 'roof' }, turn, 7], reloads: 'x' });
    expect(parsed).toEqual({ turns: [turn], reloads: [] });
  });
});
