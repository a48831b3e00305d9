import { describe, expect, it } from 'vitest';
import { slotFacts } from '../../../workers/page/panels/browsers/slot-facts.ts';
import { createFormat } from '../../../workers/page/parts/format.ts';

const NOW = 1_700_000_000_000;
const TARGET = { client_id: 'b', controller_id: 'n', platform: 'claude', stopped_reason: null } as const;
const facts = (more: object) => Object.fromEntries(slotFacts({ ...TARGET, ...more }, createFormat('en'), NOW));

describe('the pace of a browser on a site', () => {
  it('counts what was sent in the last minute, which is nothing once a minute has passed since', () => {
    expect(facts({ recent_starts: 2, last_activity_at: NOW - 30_000 })).toMatchObject({ rate_used: '2' });
    expect(facts({ recent_starts: 2, last_activity_at: NOW - 61_000 })).toMatchObject({ rate_used: '0' });
  });

  it('names a time only while it holds something back', () => {
    expect(facts({ backoff_until: NOW + 5_000 })).toEqual({ backoff_until: 'in 5 s' });
    expect(facts({ backoff_until: NOW - 1, open_until: 0 })).toEqual({});
  });

  it('says what of the site has changed and which tabs were passed over, with no invisible character', () => {
    const found = { last_drift: 'send: a\u202eb', last_skipped: 'older_tab', restored_count: 3 };
    expect(facts(found)).toEqual({
      site_drift: 'send: a\\u{202e}b',
      tabs_skipped: 'older_tab',
      tabs_restored: '3',
    });
    expect(facts({ last_drift: null, last_skipped: null })).toEqual({});
  });
});
