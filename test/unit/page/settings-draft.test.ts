import { describe, expect, it } from 'vitest';
import type { RenewalSettings } from '../../../schema/contracts/renewal-settings.ts';
import type { SettingsResponse } from '../../../workers/page/panels/settings/draft.ts';
import { draftOf, readDraft } from '../../../workers/page/panels/settings/draft.ts';

const effective: RenewalSettings = {
  time_zone: 'Europe/Berlin',
  quiet_hours: { from: '22:00', to: '07:00' },
  max_in_a_row: 20,
  max_per_day: null,
  end_at: null,
  max_without_effect: 5,
  max_repeats: 3,
  cooldown_ms: 90_000,
  template: '{summary}',
};
const response = (settings: SettingsResponse['settings']): SettingsResponse => ({
  scope: 'default',
  settings,
  effective,
});

describe('the settings of a scope', () => {
  it('come back as they were when nothing was edited', () => {
    const own = { quiet_hours: effective.quiet_hours, max_per_day: null, cooldown_ms: 90_000, template: '{summary}' };
    const { body, problems } = readDraft({ platform: 'claude' }, draftOf(response(own)));
    expect(problems).toBeNull();
    expect(body).toEqual({ platform: 'claude', settings: own });
  });

  it('leave out what comes from the scope around', () => {
    expect(draftOf(response({}))).toEqual({});
    expect(readDraft({}, {}).body).toEqual({ settings: {} });
  });

  it.each([
    ['max_per_day', 'many'],
    ['max_per_day', '0'],
    ['cooldown_ms', ''],
    ['quiet_hours', '22:00'],
    ['time_zone', 'Nowhere/Town'],
    ['template', '{nothing}'],
    ['end_at', 'tomorrow'],
  ])('a bad %s is named: %s', (field, text) => {
    const { body, problems } = readDraft({}, { [field]: text });
    expect(body).toBeNull();
    expect(Object.keys(problems ?? {})).toEqual([field]);
  });
});
