/** A plan is sent once: repeats, restarts of the background page at each stage, cancels, a lost agent. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../../extension/background/deliveries/plans.ts';
import { keptPlans, PlansSchema } from '../../../../extension/background/deliveries/plans.ts';
import { readActionResult } from '../../../../local-agent/delivery/outcome.ts';
import { DeliveryScene, seenLook } from '../../../support/extension/delivery-scene.ts';

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

  it('is sent after it was deferred, also when storage did not take that and the background page began again', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => {
      scene.isStorageStuck = true;
      return Promise.reject(new Error('loading'));
    };
    await scene.deliver();
    await scene.clock.elapse(10_500);
    expect(scene.stages).toEqual(['p1 started -']);
    const restarted = new DeliveryScene(scene.kept);
    await restarted.deliver();
    expect(presses(restarted)).toBe(1);
  });
});

describe('a restart of the background page', () => {
  it('while the text was typed forgets the plan, which is sent when it comes again', async () => {
    const scene = new DeliveryScene();
    scene.handlers.compose = () => new Promise(() => undefined);
    await scene.deliver();
    expect(scene.stages).toEqual(['p1 started -']);
    const restarted = new DeliveryScene(scene.kept);
    await restarted.deliver();
    await restarted.responds(await restarted.sends(), 200);
    await restarted.clock.elapse(1_500);
    expect(outcomes(restarted)).toEqual([['r1', 'delivered', null]]);
    expect(presses(restarted)).toBe(1);
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

describe('a stored plan that cannot be read', () => {
  const plan = { planId: 'p1', platform: 'chatgpt', conversationId: 'c1', at: 0, userMessageId: null };
  const end = { outcome: 'delivered', reason: null, httpStatus: 200, retryAfterMs: 0, seenInPage: true, durationMs: 1 };

  it('takes no other plan with it, so that none of them is sent again', () => {
    const stored = [
      { planId: 'p0', platform: 'gone' },
      { ...plan, stage: 'pressed', end: null },
    ];
    expect(PlansSchema.parse(stored)).toMatchObject([{ planId: 'p1', stage: 'pressed' }]);
  });

  it.each([
    ['its stage', { ...plan, stage: 'later', end: null }],
    ['its end', { ...plan, stage: 'ended', end: { ...end, outcome: 'later' } }],
  ])('in %s is not sent again', async (_what, stored) => {
    const scene = new DeliveryScene({ plans: PlansSchema.parse([stored]) });
    await scene.deliver();
    expect(outcomes(scene)).toEqual([['r1', 'uncertain', 'interrupted_after_send']]);
    expect(scene.calls).toEqual([]);
  });

  it('in a number keeps its outcome', () => {
    const stored = { ...plan, stage: 'ended', end: { ...end, retryAfterMs: Number.POSITIVE_INFINITY } };
    expect(PlansSchema.parse([stored])).toMatchObject([{ end: { outcome: 'delivered', retryAfterMs: null } }]);
  });
});

describe('a text that the person sends before the button is pressed', () => {
  it.each(['compose', 'press'])('is not sent again (%s)', async (during) => {
    const scene = new DeliveryScene();
    const look = seenLook('c1', { typedAgoMs: 10 });
    const refusal = { refusal: 'person_is_typing', detail: {}, look } as const;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    if (during === 'compose') scene.handlers.compose = () => held.then(() => ({ typed: false, ...refusal }));
    if (during === 'press') scene.handlers.press = () => held.then(() => ({ pressed: false, ...refusal }));
    await scene.deliver();
    const requestId = await scene.sends();
    release();
    await scene.responds(requestId, 200);
    await scene.clock.elapse(1_500);
    expect(outcomes(scene)).toEqual([['r1', 'delivered', null]]);
  });

  it('is another message when it has another text', async () => {
    const scene = new DeliveryScene();
    let release: (outcome: object) => void = () => undefined;
    const typed = new Promise<object>((resolve) => {
      release = resolve;
    });
    scene.handlers.compose = () => typed;
    await scene.deliver();
    await scene.responds(await scene.sends({ text: 'something else' }), 200);
    release({ typed: false, refusal: 'person_is_typing', detail: {}, look: seenLook('c1', { typedAgoMs: 10 }) });
    await scene.clock.elapse(100);
    expect(scene.kept.plans).toEqual([]);
    expect(scene.results).toMatchObject([{ accepted: false, reason: 'person_is_typing' }]);
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
