import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../workers/page/api/client.ts';
import { dueLine } from '../../../workers/page/panels/now/due-line.ts';
import { describeError } from '../../../workers/page/parts/notices.ts';
import { t } from '../../../workers/page/texts/texts.ts';

describe('the line of what is due next', () => {
  it('says the reason with its own time', () => {
    const next_renewal = { due: false, at: 1_700_000_000_000, reason: 'quiet_hours' };
    expect(dueLine({ data: { next_renewal }, error: null })).toEqual({
      text: expect.stringMatching(/quiet hours/i),
      at: next_renewal.at,
    });
  });

  it('says no time while its reason is not known, and why it cannot be known', () => {
    expect(dueLine({ data: null, error: null })).toEqual({ text: t('loading'), at: null });
    const error = new EdgeError('database_unavailable', 'the database is away');
    expect(dueLine({ data: null, error })).toEqual({ text: describeError(error), at: null });
  });

  it('keeps the reason that it knew when a later reading fails', () => {
    const data = { next_renewal: { due: true, at: null, reason: 'due' } };
    expect(dueLine({ data, error: new EdgeError('database_unavailable', 'away') })).toEqual({ text: 'due', at: null });
  });
});
