import { describe, expect, it } from 'vitest';
import { WaitingNotices } from '../../../../extension/background/people/waiting-notices.ts';
import type { WaitingPlace } from '../../../../extension/background/people/waiting-objects.ts';
import type { PeopleView } from '../../../../extension/people-messages.ts';
import { PERSON_NOTICE } from '../../../../schema/defaults.ts';
import { TestStorage } from '../../../support/extension/test-env.ts';
import { TestClock } from '../../../support/test-clock.ts';
import { conversationOf, english, NOW, snapshotOf, viewOf } from './views.ts';

const HOUR_MS = 3_600_000;
const approval = (instruction_id: string) => ({
  instruction_id,
  local_conversation_id: 'lc_1',
  name: 'conductor::exec',
  display: 'rm -rf / --secret',
  approval_hash: 'a'.repeat(64),
  expires_in_ms: 60_000,
});
const pace = (stopped_reason: string | null) => ({
  platform: 'claude',
  reason: null,
  until: null,
  queued: 0,
  in_flight: 0,
  stopped_reason,
});
const waiting = (snapshot: object, change: Partial<PeopleView> = {}) =>
  viewOf({ snapshot: snapshotOf(snapshot), ...change });

/** A background page on that storage, and what its notifications show. */
function backgroundOn(storage = new TestStorage()) {
  const shown: string[] = [];
  const cleared: string[] = [];
  const led: WaitingPlace[] = [];
  const clock = new TestClock(NOW);
  let click: (id: string) => void = () => undefined;
  const notices = new WaitingNotices({
    storage,
    translate: english(),
    clock,
    notifications: {
      show: async (id, { title, message }) => void shown.push(`${id}: ${title}: ${message}`),
      clear: async (id) => void cleared.push(id),
      onClicked: (listener) => {
        click = listener;
      },
    },
    lead: async (place) => void led.push(place),
  });
  return { notices, storage, clock, shown, cleared, led, click: (id: string) => click(id) };
}

describe('a notification of the extension', () => {
  it('is shown once for each object, without what would run, also when views come at once and after a restart', async () => {
    const first = backgroundOn();
    const view = waiting({
      approvals: [approval('ins_1')],
      policy: { paces: [pace('signed_out')] },
      conversations: [conversationOf({ automation_status: 'paused', pause_reason: 'no_progress' })],
    });
    await Promise.all([first.notices.update(view), first.notices.update(view)]);
    expect(first.shown).toEqual([
      'approval ins_1: An instruction waits for approval: conductor::exec',
      'stopped claude: This browser is stopped on a site: claude.ai',
      'paused lc_1: A conversation was halted after failures: chatgpt.com',
    ]);
    const next = backgroundOn(first.storage);
    await next.notices.update(view);
    expect(next.shown).toEqual([]);
  });

  it('is cleared when its object has ceased to wait, and shown again when it waits again', async () => {
    const { notices, shown, cleared } = backgroundOn();
    const stopped = waiting({ policy: { paces: [pace('security_challenge')] } });
    await notices.update(stopped);
    await notices.update(waiting({ policy: { paces: [pace(null)] } }));
    expect(cleared).toEqual(['stopped claude']);
    await notices.update(stopped);
    expect(shown).toHaveLength(2);
  });

  it.each([
    ['while the agent has no edge', { edge_connected: false }],
    ['before the edge has reported a mode', { system: { mode: 'running', version: 1, is_known: false } }],
  ])('is not shown again after a snapshot without it, %s', async (_when, unsure) => {
    const { notices, shown } = backgroundOn();
    const view = waiting({ approvals: [approval('ins_1')], policy: { paces: [pace('signed_out')] } });
    await notices.update(view);
    await notices.update(waiting(unsure));
    await notices.update(view);
    expect(shown).toHaveLength(2);
  });

  it('is not shown of a pause by a person, nor of an old snapshot', async () => {
    const { notices, shown } = backgroundOn();
    await notices.update(
      waiting({ conversations: [conversationOf({ automation_status: 'paused', pause_reason: 'user_pause' })] }),
    );
    const connection = { state: 'closed', reason: null, retryAt: null, since: NOW, agentUrl: '' } as const;
    await notices.update(waiting({ approvals: [approval('ins_1')] }, { connection }));
    expect(shown).toEqual([]);
  });

  it('is not shown while notifications are turned off, nor afterwards of what waited then', async () => {
    const { notices, shown } = backgroundOn();
    const view = waiting({ approvals: [approval('ins_1')] });
    await notices.update({ ...view, notices: false });
    await notices.update(view);
    expect(shown).toEqual([]);
    await notices.update(waiting({ approvals: [approval('ins_1'), approval('ins_2')] }));
    expect(shown).toHaveLength(1);
  });

  it('waits for the end of the quiet hours that the edge has, and is then shown of what still waits', async () => {
    const { notices, clock, shown } = backgroundOn();
    const from = new Date(NOW).toISOString().slice(11, 16);
    const to = new Date(NOW + 2 * HOUR_MS).toISOString().slice(11, 16);
    const notice_hours = { quiet_hours: { from, to }, time_zone: 'UTC' };
    const both = { approvals: [approval('ins_1'), approval('ins_2')], notice_hours };
    await notices.update(waiting(both));
    await notices.update(waiting({ ...both, approvals: [approval('ins_2')] }));
    clock.advance(HOUR_MS);
    expect(shown).toEqual([]);
    clock.advance(HOUR_MS);
    await expect.poll(() => shown).toEqual(['approval ins_2: An instruction waits for approval: conductor::exec']);
  });

  const page = (notices_waiting: object[] | null) =>
    waiting({ notices_waiting, page_origin: 'https://edge.test', edge_connected: true });
  const step = { cause: 'blocked_step', object_id: 'tsk_1', part: '2' };

  it('of a step, an interrupted instruction or a missing leader is shown once, and leads to the status page', async () => {
    const { notices, storage, shown, cleared, click, led } = backgroundOn();
    const view = page([
      step,
      { cause: 'interrupted', object_id: 'ins_9', part: '' },
      { cause: 'no_leader', object_id: 'leader', part: '7' },
    ]);
    await notices.update(view);
    expect(shown).toEqual([
      'blocked_step tsk_1 2: A step of a task waits for a person: tsk_1',
      'interrupted ins_9 : An interrupted instruction waits for your word: ins_9',
      'no_leader leader 7: No node leads: leader',
    ]);
    click('blocked_step tsk_1 2');
    expect(led).toEqual([{ at: 'page', url: 'https://edge.test/tasks/tsk_1' }]);
    await notices.update(page([]));
    expect(cleared).toEqual(expect.arrayContaining(['interrupted ins_9 ', 'no_leader leader 7']));
    await notices.update(page([{ ...step, part: '3' }]));
    expect(shown).toHaveLength(4);
    // A new Firefox, and an agent that has read nothing yet.
    await notices.update(page([{ ...step, part: '3' }]));
    const next = backgroundOn(storage);
    await next.notices.update(page(null));
    await next.notices.update(page([{ ...step, part: '3' }]));
    expect(next.shown).toEqual([]);
  });

  const many = (from: number) =>
    Array.from({ length: PERSON_NOTICE.shown }, (_, at) => ({ ...step, object_id: `tsk_${from + at}` }));
  const paused = { automation_status: 'paused', pause_reason: 'no_progress' } as const;
  it.each([
    ['a stopped browser', { policy: { paces: [pace('signed_out')] } }, {}],
    ['a halted conversation', { conversations: [conversationOf(paused)] }, {}],
    ['a missing leader', { notices_waiting: [{ cause: 'no_leader', object_id: 'leader', part: '7' }] }, {}],
    ['a step behind fifty newer ones', { notices_waiting: [step] }, { notices_waiting: many(2) }],
  ])(
    'of %s is not shown again after a snapshot that does not say whether it still waits',
    async (_what, some, other) => {
      const { notices, shown } = backgroundOn();
      const connected = { edge_connected: true, conversations: [], notices_waiting: [] };
      await notices.update(waiting({ ...connected, ...some }));
      const [first] = shown;
      await notices.update(waiting({ ...connected, ...other }));
      await notices.update(waiting({ ...connected, ...some }));
      expect(shown.filter((one) => one === first)).toHaveLength(1);
    },
  );

  it.each([null, 'javascript:alert(1)', 'file:///etc'])('never leads to a page at %s', async (page_origin) => {
    const { notices, click, led } = backgroundOn();
    await notices.update(waiting({ notices_waiting: [step], page_origin }));
    click('blocked_step tsk_1 2');
    expect(led).toEqual([{ at: 'options' }]);
  });

  it('leads to the window of its approval, the tab of its chat, or the options page', async () => {
    const { notices, click, led, cleared } = backgroundOn();
    await notices.update(
      waiting({
        approvals: [approval('ins_1')],
        conversations: [conversationOf({ automation_status: 'paused', pause_reason: 'no_progress' })],
      }),
    );
    click('approval ins_1');
    click('paused lc_1');
    click('of an earlier Firefox');
    expect(led).toEqual([
      { at: 'approval', instruction_id: 'ins_1' },
      { at: 'chat', platform: 'chatgpt', conversation_id: 'c1' },
      { at: 'options' },
    ]);
    expect(cleared).toEqual(['approval ins_1', 'paused lc_1', 'of an earlier Firefox']);
  });
});
