import { describe, expect, it } from 'vitest';
import { NOTICE_CAUSES, NOTICE_FORMATS, NOTICE_LANGUAGES } from '../../../schema/contracts/notices.ts';
import type { WaitingForPerson } from '../../../schema/contracts/waiting.ts';
import type { Look, WaitingObject } from '../../../workers/page/notices/what-waits.ts';
import { newsOf, objectsOf, waitingObject } from '../../../workers/page/notices/what-waits.ts';
import { changesOf, draftOfNotices } from '../../../workers/page/panels/settings/notice-draft.ts';
import { EN } from '../../../workers/page/texts/en.ts';

describe('notifications of the page', () => {
  const asked = waitingObject('approval', 'ins_1');
  const stopped = waitingObject('stopped_browser', 'firefox-1', 'claude');

  const quiet = { quiet_hours: { from: '22:00', to: '07:00' }, time_zone: 'UTC' };
  const night = Date.UTC(2026, 0, 1, 23);
  const look = (waiting: readonly WaitingObject[], known: readonly string[] | null, more: Partial<Look> = {}) =>
    newsOf({ waiting, known, isCut: false, hours: { ...quiet, quiet_hours: null }, now: night, ...more });
  const many = Array.from({ length: 40 }, (_, n) => waitingObject('approval', `ins_many_${n}`));

  it('each object is shown once, and again when it has ceased to wait in between', () => {
    const first = look([asked, stopped], []);
    expect(first.each).toEqual([asked, stopped]);
    const second = look([stopped], first.known);
    expect(second.each).toEqual([]);
    expect(look([asked, stopped], second.known).each).toEqual([asked]);
  });

  it('a stop of a browser on another site is another object', () => {
    expect(look([waitingObject('stopped_browser', 'firefox-1', 'gemini')], [stopped.key]).each).toHaveLength(1);
  });

  it('what waits at the first look is one summary, and no news at the second', () => {
    const first = look(many, null);
    expect(first).toMatchObject({ each: [], summary: 40 });
    expect(look([...many, asked], first.known)).toMatchObject({ each: [asked], summary: 0 });
    expect(look([], null)).toMatchObject({ each: [], summary: 0, known: [] });
  });

  it('in quiet hours nothing is shown, and it is news when they end', () => {
    const before = look([stopped], []);
    const inside = look([stopped, asked], before.known, { hours: quiet });
    expect(inside).toEqual({ each: [], summary: 0, known: before.known });
    expect(look([stopped, asked], inside.known, { hours: quiet, now: Date.UTC(2026, 0, 2, 7) }).each).toEqual([asked]);
    expect(look(many, [], { now: night })).toMatchObject({ each: [], summary: 40 });
  });

  it('what drops out of a list that is cut is not shown again when it is listed again', () => {
    const first = look([asked, stopped], []);
    const cut = look([stopped], first.known, { isCut: true });
    expect(look([asked, stopped], cut.known).each).toEqual([]);
  });

  it('all that the edge lists as waiting is an object', () => {
    const ids = { approvals: 'instruction_id', interrupted: 'instruction_id', blocked: 'task_id' };
    const listed = Object.entries(ids).map(([kind, id]) => [kind, [{ [id]: `the ${kind}` }]]);
    const waiting = {
      ...Object.fromEntries(listed),
      stopped: [{ client_id: 'firefox-1', platform: 'claude' }],
      paused: [{ local_conversation_id: 'lc_1' }],
    } as unknown as WaitingForPerson;
    expect(objectsOf(waiting).map(({ cause }) => cause)).toEqual(
      NOTICE_CAUSES.filter((cause) => cause !== 'no_leader'),
    );
  });

  it.each([
    [asked, '/instructions/ins_1'],
    [stopped, '/browsers/firefox-1'],
    [waitingObject('no_leader', 'leader', '7'), '/leadership'],
  ])('a notification leads to the page of its object', ({ path }, expected) => {
    expect(path).toBe(expected);
  });

  it('there is a text for each cause, format and language', () => {
    const keys = [
      ...NOTICE_CAUSES.map((cause) => `notice_${cause}`),
      ...[...NOTICE_FORMATS, ...NOTICE_LANGUAGES].map((value) => `notice_value_${value}`),
    ];
    expect(keys.filter((key) => !Object.hasOwn(EN, key))).toEqual([]);
  });
});

describe('the form of the notices', () => {
  const before = draftOfNotices(null);

  it('what has changed is sent, and nothing else', () => {
    expect(changesOf(before, { ...before, address: ' https://ntfy.sh/x ', quiet_hours: '22:00 – 07:00' })).toEqual({
      address: 'https://ntfy.sh/x',
      quiet_hours: { from: '22:00', to: '07:00' },
    });
    const withHours = { ...before, quiet_hours: '22:00-07:00' };
    expect(changesOf(withHours, before)).toEqual({ quiet_hours: null });
  });

  it.each([{}, { quiet_hours: '22' }, { time_zone: 'Mars/Olympus' }, { secret: 'two words' }])(
    'nothing is sent for %j',
    (change) => {
      expect(changesOf(before, { ...before, ...change })).toBeNull();
    },
  );
});
