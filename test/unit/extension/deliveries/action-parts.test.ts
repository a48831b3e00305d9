/** What a result says of the tabs that the action used and passed over, and of what their pages showed. */
import { describe, expect, it } from 'vitest';
import { readActionResult } from '../../../../local-agent/delivery/outcome.ts';
import { ActionResultSchema } from '../../../../schema/contracts/bridge-frames.ts';
import { DeliveryScene, seenLook } from '../../../support/extension/delivery-scene.ts';

const URL = 'https://chatgpt.com/c/c1';

/** The only result, as the agent reads it. */
function only(scene: DeliveryScene) {
  expect(scene.results).toHaveLength(1);
  return ActionResultSchema.parse(scene.results[0]);
}

async function deliverIn(scene: DeliveryScene, tabId = 17): Promise<void> {
  await scene.deliver();
  const requestId = await scene.sends({}, tabId);
  await scene.emit({
    type: 'status',
    status: 200,
    isChallenge: false,
    retryAfterMs: null,
    ...scene.from(requestId, tabId),
  });
  await scene.clock.elapse(1_000);
}

describe('the result of a delivery', () => {
  it('names the tab that it used, the page there, and no restored, skipped or drifted one when there was none', async () => {
    const scene = new DeliveryScene();
    await deliverIn(scene);
    expect(only(scene)).toMatchObject({
      result: {
        desired_count: 1,
        actual_count: 1,
        ok_count: 1,
        failed_count: 0,
        drift_count: 0,
        restored_count: 0,
        platform_count: 1,
        skipped_reasons: [],
        user_message_id: 'u1',
      },
      results: [{ platform: 'chatgpt', tab_id: 17, ok: true, skipped: false, reason: null }],
      shell_runtime: [
        {
          platform: 'chatgpt',
          tab_id: 17,
          conversation_id: 'c1',
          shell_page: false,
          restored: false,
          composer: 'empty',
          is_answering: false,
          obstacle: null,
          login: 'fresh',
          drift: [],
        },
      ],
    });
  });

  it('counts a tab that it opened, and one whose unloaded page it loaded, as restored', async () => {
    const opened = new DeliveryScene();
    opened.tabs = [];
    await deliverIn(opened, 91);
    const loaded = new DeliveryScene();
    loaded.tabs = [loaded.tab(17, URL, { isDiscarded: true })];
    await deliverIn(loaded);
    for (const scene of [opened, loaded]) {
      expect(only(scene)).toMatchObject({
        result: { actual_count: 1, restored_count: 1 },
        shell_runtime: [{ restored: true }],
      });
    }
  });

  it('says which tabs it passed over, and why', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [
      scene.tab(17, 'https://chatgpt.com/c/c2'),
      scene.tab(18, URL),
      scene.tab(19, URL),
      scene.tab(20, URL, { isDiscarded: true }),
      scene.tab(21, 'https://chatgpt.com/c/c3'),
    ];
    await deliverIn(scene, 19);
    const { result, results } = only(scene);
    expect(result?.skipped_reasons).toEqual(['shows_other_conversation', 'older_tab', 'unloaded']);
    expect(results?.map(({ tab_id, skipped, reason }) => [tab_id, skipped, reason])).toEqual([
      [19, false, null],
      [17, true, 'shows_other_conversation'],
      [18, true, 'older_tab'],
      [20, true, 'unloaded'],
    ]);
  });

  it('says that a tab is in use by another delivery, and that one has another account', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [scene.tab(17, URL, { cookieStoreId: 'home' }), scene.tab(18, URL, { cookieStoreId: 'work' })];
    scene.accounts = { home: 'f1', work: 'f2' };
    await scene.deliver({ account_fingerprint: 'f1' });
    await scene.deliver({ plan_id: 'p2', request_id: 'r2', account_fingerprint: 'f1', timeout_ms: 4_000 });
    await scene.clock.elapse(30_000);
    const second = scene.results.find(({ request_id }) => request_id === 'r2');
    expect(second?.result?.skipped_reasons).toEqual(['tab_in_use', 'other_account']);
  });

  it('names what of the page and of its requests did not look as it is known, each once', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => seenLook('c1', { drift: ['composer: textarea'] });
    await scene.deliver();
    const requestId = await scene.sends();
    for (const tabId of [17, 18]) {
      const event = { type: 'drift', what: tabId === 17 ? 'frame_of_unknown_kind' : 'of_another_tab' } as const;
      await scene.emit({ type: 'decoded', event, ...scene.from(requestId, tabId) });
    }
    await scene.responds(requestId, 200);
    await scene.clock.elapse(1_000);
    const result = only(scene);
    expect(result.result?.drift_count).toBe(2);
    expect(result.shell_runtime?.[0]?.drift).toEqual(['composer: textarea', 'send: frame_of_unknown_kind']);
    expect(readActionResult(result)?.pages?.drift).toEqual(result.shell_runtime?.[0]?.drift);
  });

  it.each([
    ['composer_missing', 'composer: no selector matched'],
    ['send_button_missing', 'send: no selector matched'],
  ] as const)('names the part of a page that no selector found: %s', async (refusal, drift) => {
    const scene = new DeliveryScene();
    const refused = { refusal, detail: {}, look: seenLook('c1') };
    if (refusal === 'composer_missing') scene.handlers.compose = () => ({ typed: false, ...refused });
    else scene.handlers.press = () => ({ pressed: false, ...refused });
    await scene.deliver();
    await scene.clock.elapse(20_000);
    expect(only(scene)).toMatchObject({ failed: true, shell_runtime: [{ drift: [drift] }] });
  });

  it('of a plan that had ended before says that no tab was used', async () => {
    const scene = new DeliveryScene();
    await deliverIn(scene);
    await scene.deliver({ request_id: 'r2' });
    const [, again] = scene.results;
    expect(again).toMatchObject({
      failed: false,
      result: { actual_count: 0, restored_count: 0 },
      results: [],
      shell_runtime: [],
    });
    expect(readActionResult(ActionResultSchema.parse(again))?.pages).toBeNull();
  });

  it('counts without parts that have another shape', async () => {
    const scene = new DeliveryScene();
    await deliverIn(scene);
    const other = { ...only(scene), result: { drift_count: 'two' }, results: ['done'], shell_runtime: [{ up: true }] };
    const read = ActionResultSchema.parse(other);
    expect([read.result, read.results, read.shell_runtime]).toEqual([undefined, undefined, undefined]);
    expect(readActionResult(read)).toMatchObject({ result: { outcome: 'delivered' }, pages: null });
  });
});

describe('the result of a reading', () => {
  it('names the tab that it opened', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [];
    await scene.read();
    await scene.clock.elapse(20_000);
    expect(only(scene)).toMatchObject({
      action: 'browser.read_current',
      result: { actual_count: 1, restored_count: 1 },
      results: [{ tab_id: 91 }],
      shell_runtime: [{ tab_id: 91, conversation_id: 'c1', restored: true }],
    });
  });
});
