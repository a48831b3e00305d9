/** When the agent hears that a page in which a message waits can be used again. */
import { describe, expect, it } from 'vitest';
import { TYPING_PAUSE_MS } from '../../../../extension/lib/typing-pause.ts';
import type { PageLook } from '../../../../extension/messages.ts';
import { DeliveryScene, seenLook } from '../../../support/extension/delivery-scene.ts';

/** A message that waits because of what its page shows. */
async function waiting(block: Partial<PageLook>): Promise<DeliveryScene> {
  const scene = new DeliveryScene();
  scene.handlers.look = () => seenLook('c1', block);
  // The content script judges a draft, as it knows the text.
  scene.handlers.compose = () => ({
    typed: false,
    refusal: 'draft_in_composer',
    detail: {},
    look: seenLook('c1', block),
  });
  await scene.deliver();
  expect(scene.results).toMatchObject([{ accepted: false }]);
  return scene;
}

const DRAFT = { composer: 'draft' } as const;

describe('a page in which a message waits', () => {
  it.each<[string, Partial<PageLook>]>([
    ['the draft is gone', DRAFT],
    ['the answer has ended', { isAnswering: true }],
    ['the person has answered its question', { obstacle: { kind: 'permission', text: '', resetsAt: null } }],
  ])('can be used again when %s, which is reported once', async (_what, block) => {
    const scene = await waiting(block);
    await scene.shows(seenLook('c1', block));
    expect(scene.freed).toEqual([]);
    await scene.shows(seenLook('c1'));
    await scene.shows(seenLook('c1'));
    expect(scene.freed).toEqual(['c1']);
  });

  it('can be used again only after the pause, when the person has removed the draft by keys', async () => {
    const scene = await waiting(DRAFT);
    scene.handlers.look = () => seenLook('c1', { typedAgoMs: TYPING_PAUSE_MS });
    await scene.shows(seenLook('c1', { typedAgoMs: 1_000 }));
    await scene.clock.elapse(TYPING_PAUSE_MS - 1_001);
    expect(scene.freed).toEqual([]);
    await scene.clock.elapse(100);
    expect(scene.freed).toEqual(['c1']);
  });

  it('can not be used while the person types on', async () => {
    const scene = await waiting(DRAFT);
    scene.handlers.look = () => seenLook('c1', { typedAgoMs: 10 });
    await scene.shows(seenLook('c1', { typedAgoMs: 1_000 }));
    await scene.clock.elapse(TYPING_PAUSE_MS - 900);
    expect(scene.freed).toEqual([]);
    await scene.clock.elapse(TYPING_PAUSE_MS - 900);
    expect(scene.freed).toEqual([]);
  });

  it.each<[string, PageLook, number]>([
    ['shows another conversation', seenLook('c2'), 17],
    ['is that of another tab', seenLook('c1'), 18],
    ['has another draft', seenLook('c1', DRAFT), 17],
  ])('can not be used when it %s', async (_what, look, tabId) => {
    const scene = await waiting(DRAFT);
    await scene.shows(look, tabId);
    expect(scene.freed).toEqual([]);
  });

  it('is not reported after the agent has tried again by itself', async () => {
    const scene = await waiting(DRAFT);
    await scene.clock.elapse(scene.results[0]?.retry_after_ms ?? 0);
    await scene.shows(seenLook('c1'));
    expect(scene.freed).toEqual([]);
  });

  it('is not reported for a limit, which ends with its time', async () => {
    const scene = await waiting({ obstacle: { kind: 'limit', text: '', resetsAt: null } });
    await scene.shows(seenLook('c1'));
    expect(scene.freed).toEqual([]);
  });

  it('is not reported when the message was delivered', async () => {
    const scene = new DeliveryScene();
    await scene.deliver();
    await scene.responds(await scene.sends(), 200);
    await scene.clock.elapse(1_500);
    await scene.shows(seenLook('c1'));
    expect(scene.freed).toEqual([]);
  });
});

describe('a message that waits for a person who types', () => {
  it.each([0, 1_234, 4_999])('is due when the pause after the newest key is over, %i ms later', async (typedAgoMs) => {
    const scene = await waiting({ typedAgoMs });
    const { reason, retry_after_ms } = scene.results[0] ?? {};
    expect(reason).toBe('person_is_typing');
    expect(retry_after_ms).toBeGreaterThanOrEqual(TYPING_PAUSE_MS - typedAgoMs);
    expect(retry_after_ms).toBeLessThanOrEqual(TYPING_PAUSE_MS - typedAgoMs + 100);
  });

  it('is due at that time too when the person began to type during the typing of the message', async () => {
    const scene = new DeliveryScene();
    const look = seenLook('c1', { typedAgoMs: 500 });
    scene.handlers.compose = () => ({ typed: false, refusal: 'person_is_typing', detail: {}, look });
    await scene.deliver();
    expect(scene.results[0]?.retry_after_ms).toBeLessThanOrEqual(TYPING_PAUSE_MS - 400);
    expect(scene.results[0]?.retry_after_ms).toBeGreaterThanOrEqual(TYPING_PAUSE_MS - 500);
  });
});
