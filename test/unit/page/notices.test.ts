import { describe, expect, it } from 'vitest';
import { NOTICE_CAUSES, NOTICE_FORMATS, NOTICE_LANGUAGES } from '../../../schema/contracts/notices.ts';
import { newsOf, waitingObject } from '../../../workers/page/notices/what-waits.ts';
import { changesOf, draftOfNotices } from '../../../workers/page/panels/settings/notice-draft.ts';
import { EN } from '../../../workers/page/texts/en.ts';

describe('notifications of the page', () => {
  const asked = waitingObject('approval', 'ins_1');
  const stopped = waitingObject('stopped_browser', 'firefox-1', 'claude');

  it('each object is shown once, and again when it has ceased to wait in between', () => {
    const first = newsOf([asked, stopped], []);
    expect(first.news).toEqual([asked, stopped]);
    const second = newsOf([stopped], first.known);
    expect(second.news).toEqual([]);
    expect(newsOf([asked, stopped], second.known).news).toEqual([asked]);
  });

  it('a stop of a browser on another site is another object', () => {
    expect(newsOf([waitingObject('stopped_browser', 'firefox-1', 'gemini')], [stopped.key]).news).toHaveLength(1);
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
