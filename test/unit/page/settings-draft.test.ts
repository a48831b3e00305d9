import { describe, expect, it } from 'vitest';
import type { RenewalSettings } from '../../../schema/contracts/renewal-settings.ts';
import type { SettingsResponse } from '../../../workers/page/panels/settings/draft.ts';
import { applyEdits, draftOf, editField, readDraft } from '../../../workers/page/panels/settings/draft.ts';

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

describe('what a person types while others save', () => {
  const stored = { max_per_day: '5', template: 'a' };

  it('is kept, and the form says that the stored value has changed; other fields show what is stored now', () => {
    const edits = editField({}, stored, 'max_per_day', '7');
    const now = { max_per_day: '6', template: 'b', time_zone: 'UTC' };
    expect(applyEdits(now, edits)).toEqual({
      draft: { max_per_day: '7', template: 'b', time_zone: 'UTC' },
      differs: true,
      overtaken: ['max_per_day'],
    });
  });

  it('is overtaken by nothing while the stored value stays, and is no edit when the same has been stored', () => {
    const edits = editField(editField({}, stored, 'max_per_day', '7'), stored, 'max_per_day', '8');
    expect(applyEdits({ ...stored, template: 'b' }, edits)).toMatchObject({ differs: true, overtaken: [] });
    expect(applyEdits({ ...stored, max_per_day: '8' }, edits)).toMatchObject({ differs: false, overtaken: [] });
  });

  it('stays overtaken while it is typed on', () => {
    const now = { ...stored, max_per_day: '6' };
    const edits = editField(editField({}, stored, 'max_per_day', '7'), now, 'max_per_day', '70');
    expect(applyEdits(now, edits).overtaken).toEqual(['max_per_day']);
  });

  it('can also be that a field is not set here any more', () => {
    const edits = editField({}, stored, 'template', null);
    expect(applyEdits(stored, edits)).toEqual({ draft: { max_per_day: '5' }, differs: true, overtaken: [] });
  });
});
