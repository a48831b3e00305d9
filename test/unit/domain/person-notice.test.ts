import { describe, expect, it } from 'vitest';
import type { OpenNotice, Waiting } from '../../../schema/domain/person-notice.ts';
import { approvalExpiresAt, decideNotices, endTry } from '../../../schema/domain/person-notice.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** 12:00 in UTC. */
const NOW = Date.UTC(2026, 10, 26, 12);
const ALWAYS = { quiet_hours: null, time_zone: 'UTC' };

const approval = (change: Partial<Waiting> = {}): Waiting => ({
  cause: 'approval',
  object_id: 'ins_1',
  part: '',
  since: NOW,
  ...change,
});
const open = (change: Partial<OpenNotice> = {}): OpenNotice => ({
  ...approval(),
  notice_id: 'ntc_open',
  state: 'sent',
  attempt_count: 1,
  due_at: NOW,
  sent_at: NOW - MINUTE_MS,
  waits: true,
  ...change,
});

function decide(facts: Partial<Parameters<typeof decideNotices>[0]>) {
  const ids = Array.from({ length: 20 }, (_, at) => `ntc_${at + 1}`);
  return decideNotices({ waiting: [], open: [], hours: ALWAYS, now: NOW, ...facts }, () => ids.shift() ?? '');
}

describe('what a look decides', () => {
  it('an object that begins to wait is tried at once, and has its next try in a minute', () => {
    const { begun, tried } = decide({ waiting: [approval()] });
    expect(tried).toEqual(['ntc_1']);
    expect(begun[0]).toMatchObject({ state: 'sent', attempt_count: 1, due_at: NOW + MINUTE_MS, sent_at: NOW });
  });

  it('a missing leader is stored, and tried a minute later', () => {
    const { begun, tried } = decide({ waiting: [approval({ cause: 'no_leader' })] });
    expect(tried).toEqual([]);
    expect(begun[0]).toMatchObject({ state: 'waiting', attempt_count: 0, due_at: NOW + MINUTE_MS, sent_at: null });
  });

  it('at most five are tried at once, and the rest stays due', () => {
    const waiting = Array.from({ length: 8 }, (_, at) => approval({ object_id: `ins_${at}` }));
    const { begun, tried } = decide({ waiting });
    expect(tried).toHaveLength(5);
    expect(begun.filter(({ attempt_count, due_at }) => attempt_count === 0 && due_at === NOW)).toHaveLength(3);
  });

  it('a notice that is not due and whose object still waits does not change', () => {
    expect(decide({ open: [open({ due_at: NOW + 1 }), open({ due_at: null, state: 'accepted' })] }).changed).toEqual(
      [],
    );
  });

  it('a notice whose last outcome was lost has failed when the time of that outcome is over', () => {
    const last = decide({ open: [open({ attempt_count: 4 })] });
    expect(last).toMatchObject({ tried: ['ntc_open'], changed: [{ state: 'sent', attempt_count: 5 }] });
    const due_at = last.changed[0]?.due_at ?? 0;
    expect(due_at).toBeGreaterThan(NOW + 10_000);
    const lost = open({ attempt_count: 5, due_at });
    expect(decide({ open: [lost], now: due_at - 1 }).changed).toEqual([]);
    const after = decide({ open: [lost], now: due_at });
    expect(after).toMatchObject({ tried: [], changed: [{ state: 'failed', attempt_count: 5, due_at: null }] });
  });

  it('a notice whose object has ceased to wait is never tried again', () => {
    const { changed, tried } = decide({ open: [open({ waits: false })] });
    expect(tried).toEqual([]);
    expect(changed[0]).toMatchObject({ due_at: null, ended_at: NOW, attempt_count: 1 });
  });

  it.each([
    ['paused_by_breaker', NOW],
    ['stopped_browser', null],
  ] as const)('%s that has waited for eight days is followed accordingly: its end is %s', (cause, ended_at) => {
    const { changed } = decide({ open: [open({ cause, since: NOW - 8 * DAY_MS, due_at: null })] });
    expect(changed[0]?.ended_at ?? null).toBe(ended_at);
  });

  it.each([
    ['22:00', '07:00', 'UTC', null],
    ['11:00', '13:30', 'UTC', NOW + 90 * MINUTE_MS],
    ['12:00', '12:01', 'UTC', NOW + MINUTE_MS],
    ['11:00', '12:00', 'UTC', null],
    // 20:00 in Shanghai.
    ['19:00', '06:00', 'Asia/Shanghai', NOW + 10 * 60 * MINUTE_MS],
  ])('quiet hours from %s to %s in %s move a try that is due to %s', (from, to, time_zone, until) => {
    const { changed, tried } = decide({ open: [open()], hours: { quiet_hours: { from, to }, time_zone } });
    expect(tried).toEqual(until === null ? ['ntc_open'] : []);
    expect(changed[0]?.due_at).toBe(until ?? NOW + 4 * MINUTE_MS);
  });
});

describe('the tries of a notice', () => {
  it('are five within an hour', () => {
    let notice: OpenNotice = open({ state: 'waiting', attempt_count: 0, due_at: NOW, sent_at: null });
    const times: number[] = [];
    for (let at: number | null = NOW; at !== null; at = notice.due_at) {
      const [next] = decide({ open: [notice], now: at }).changed;
      if (next === undefined) throw new Error('not tried');
      times.push((at - NOW) / MINUTE_MS);
      const { state, due_at } = endTry(next, 'http_500', at);
      notice = { ...next, state, due_at, waits: true };
    }
    expect(times).toEqual([0, 1, 5, 20, 55]);
    expect(notice.state).toBe('failed');
  });

  it('end when one is accepted', () => {
    expect(endTry({ state: 'sent', due_at: NOW, attempt_count: 1 }, null, NOW)).toEqual({
      state: 'accepted',
      due_at: null,
      last_error: null,
      accepted_at: NOW,
    });
  });
});

describe('when an approval expires', () => {
  it.each([
    ['without notices', null, 15],
    ['with a notice that is not accepted', { accepted_at: null }, 60],
    ['with one that was accepted after ten minutes', { accepted_at: NOW + 10 * MINUTE_MS }, 25],
    ['with one that was accepted after fifty minutes', { accepted_at: NOW + 50 * MINUTE_MS }, 60],
  ])('%s', (_when, notice, minutes) => {
    expect(approvalExpiresAt(NOW, notice)).toBe(NOW + minutes * MINUTE_MS);
  });
});
