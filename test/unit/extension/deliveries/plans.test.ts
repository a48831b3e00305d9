/** A plan is sent once: repeats, restarts of the background page at each stage, cancels, a lost agent. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../../extension/background/deliveries/plans.ts';
import { interrupted, keptPlans, PlansSchema } from '../../../../extension/background/deliveries/plans.ts';
import { readActionResult } from '../../../../local-agent/delivery/outcome.ts';
import { DeliveryScene } from '../../../support/extension/delivery-scene.ts';

const outcomes = (scene: DeliveryScene) =>
  scene.results.map((one) => {
    const { outcome, reason } = readActionResult(one)?.result ?? {};
    return [one.request_id, outcome, reason];
  });
const presses = (scene: DeliveryScene) => scene.calls.filter((call) => call.endsWith('press')).length;

describe('a plan that comes again', () => {
  it('gets the stored result and is not sent, also after a restart', async () => {
    const scene = new DeliveryScene();
    await scene.deliver();
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_500);
    await scene.deliver({ request_id: 'r2' });
    expect(outcomes(scene)).toEqual([
      ['r1', 'delivered', null],
      ['r2', 'delivered', null],
    ]);
    const restarted = new DeliveryScene(scene.kept);
    await restarted.deliver({ request_id: 'r3' });
    expect(outcomes(restarted)).toEqual([['r3', 'delivered', null]]);
    expect(restarted.calls).toEqual([]);
  });

  it('while it is under way gets the same result', async () => {
    const scene = new DeliveryScene();
    await scene.deliver();
    await scene.deliver({ request_id: 'r2' });
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_500);
    expect(outcomes(scene)).toEqual([
      ['r1', 'delivered', null],
      ['r2', 'delivered', null],
    ]);
    expect(presses(scene)).toBe(1);
  });

  it('is sent after it was deferred, since nothing was sent', async () => {
    const scene = new DeliveryScene();
    const { look } = scene.handlers;
    scene.handlers.look = () => Promise.reject(new Error('loading'));
    await scene.deliver();
    await scene.clock.elapse(10_500);
    expect(scene.kept.plans).toEqual([]);
    scene.handlers.look = look;
    await scene.deliver({ request_id: 'r2' });
    expect(presses(scene)).toBe(1);
  });
});

describe('a restart of the background page', () => {
  it('while the text was typed ends the plan as not sent', async () => {
    const scene = new DeliveryScene();
    scene.handlers.compose = () => new Promise(() => undefined);
    await scene.deliver();
    expect(scene.stages).toEqual(['p1 started -']);
    const restarted = new DeliveryScene(scene.kept);
    await restarted.deliver();
    expect(outcomes(restarted)).toEqual([['r1', 'failed', 'interrupted_before_send']]);
    expect(restarted.calls).toEqual([]);
  });

  it.each(['press', 'evidence'])('between the stored mark and the %s ends the plan as uncertain', async (until) => {
    const scene = new DeliveryScene();
    if (until === 'press') scene.handlers.press = () => new Promise(() => undefined);
    await scene.deliver();
    expect(scene.stages).toEqual(['p1 pressed -']);
    const restarted = new DeliveryScene(scene.kept);
    await restarted.deliver();
    expect(outcomes(restarted)).toEqual([['r1', 'uncertain', 'interrupted_after_send']]);
    expect(restarted.calls).toEqual([]);
  });
});

describe('storage', () => {
  it('that takes no mark keeps everything from being typed', async () => {
    const scene = new DeliveryScene();
    scene.isStorageStuck = true;
    await scene.deliver();
    await scene.clock.elapse(2_500);
    expect(scene.calls).toEqual([]);
  });

  it('that does not take the mark of the press keeps the button from being pressed, and the text is removed', async () => {
    const scene = new DeliveryScene();
    scene.handlers.compose = () => {
      scene.isStorageStuck = true;
      return { typed: true, detail: {} };
    };
    await scene.deliver();
    await scene.clock.elapse(5_000);
    expect(scene.calls).toEqual(['17 look', '17 compose', '17 withdraw']);
  });

  it('keeps the newest plans, and none that is older than two weeks', () => {
    const plan = (n: number, at: number): Plan => ({
      planId: `p${n}`,
      platform: 'chatgpt',
      conversationId: null,
      stage: 'ended',
      at,
      end: null,
      userMessageId: null,
    });
    const now = 1_800_000_000_000;
    const old = plan(0, now - 14 * 86_400_000);
    const many = Array.from({ length: 600 }, (_, n) => plan(n + 1, now - 1_000 + n));
    const kept = keptPlans([...many, old], now);
    expect([kept.length, kept[0]?.planId, kept.at(-1)?.planId]).toEqual([500, 'p101', 'p600']);
  });
});

describe('a delivery that is canceled', () => {
  it('before the press is not sent, and its text is removed', async () => {
    const scene = new DeliveryScene();
    scene.handlers.compose = () => new Promise(() => undefined);
    await scene.deliver();
    scene.deliveries.take({ type: 'browser.cancel', request_id: 'r1' });
    await scene.clock.flush();
    expect(scene.calls).toEqual(['17 look', '17 compose', '17 withdraw']);
    expect(outcomes(scene)).toEqual([['r1', 'failed', 'canceled']]);
  });

  it('after the press keeps its own outcome for a repeat', async () => {
    const scene = new DeliveryScene();
    await scene.deliver();
    scene.deliveries.take({ type: 'browser.cancel', request_id: 'r1' });
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_500);
    expect(outcomes(scene)).toEqual([['r1', 'delivered', null]]);
  });

  it('while the page waits for its button is stopped in the page', async () => {
    const scene = new DeliveryScene();
    scene.handlers.press = () => new Promise(() => undefined);
    await scene.deliver();
    scene.deliveries.take({ type: 'browser.cancel', request_id: 'r1' });
    await scene.clock.flush();
    expect(scene.calls.at(-1)).toBe('17 withdraw');
  });

  it('by the loss of the agent is not sent later, when the agent may already search for it', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => Promise.reject(new Error('loading'));
    await scene.deliver();
    scene.deliveries.onDisconnected();
    scene.handlers.look = undefined;
    await scene.clock.elapse(20_000);
    expect(presses(scene)).toBe(0);
  });
});

describe('plans of another version of the extension', () => {
  const known = { planId: 'p1', platform: 'claude', conversationId: 'c1', at: 5, userMessageId: null };

  it('are read one by one, so that an unreadable one loses no other', () => {
    const stored = [
      { ...known, stage: 'started', end: null },
      { planId: 7 },
      { ...known, planId: 'p2', stage: 'pressed' },
    ];
    expect(PlansSchema.parse(stored).map(({ planId }) => planId)).toEqual(['p1', 'p2']);
  });

  it.each([{ stage: 'confirmed', end: null }, { stage: 'ended', end: { outcome: 'perhaps' } }, { stage: 'ended' }])(
    'count as sent perhaps when their state is not known: %o',
    (state) => {
      const [plan] = PlansSchema.parse([{ ...known, ...state }]).map(interrupted);
      expect(plan).toMatchObject({ planId: 'p1', stage: 'ended', end: { outcome: 'uncertain' } });
    },
  );
});
