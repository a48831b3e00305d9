/** Times, spans and sizes in the reader's language and time zone. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Format {
  /** `12 s`, `3 min`, `4 h`, `2 d`. */
  span(ms: number): string;
  /** `2.4 s`, `310 ms`: for what was measured. */
  exactSpan(ms: number): string;
  /** `12 s ago`, or `in 3 min` for what lies ahead. */
  ago(at: number, now: number): string;
  /** The time of day, with the day when it is not today. */
  moment(at: number, now: number): string;
  /** The same, with the time zone. */
  clock(at: number, now: number): string;
  /** Day and time to the second, with the time zone. */
  exact(at: number): string;
  bytes(count: number): string;
  count(value: number): string;
}

const UNITS = {
  en: { ms: ' ms', s: ' s', min: ' min', h: ' h', d: ' d' },
  zh: { ms: ' 毫秒', s: ' 秒', min: ' 分钟', h: ' 小时', d: ' 天' },
} as const;

/** `timeZone`: that of the reader unless given. */
export function createFormat(language: 'en' | 'zh', timeZone?: string): Format {
  const unit = UNITS[language];
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB';
  const zone = timeZone === undefined ? {} : { timeZone };
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
  const today = new Intl.DateTimeFormat(locale, { ...zone, ...time });
  const day = new Intl.DateTimeFormat(locale, {
    ...zone,
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const full = new Intl.DateTimeFormat(locale, { ...zone, dateStyle: 'medium', timeStyle: 'long' });
  const dayOf = new Intl.DateTimeFormat('en-CA', { ...zone, dateStyle: 'short' });
  const named = new Intl.DateTimeFormat(locale, { ...zone, timeZoneName: 'short' });
  const zoneOf = (at: number): string =>
    named.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const moment = (at: number, now: number): string => (dayOf.format(at) === dayOf.format(now) ? today : day).format(at);
  const numbers = new Intl.NumberFormat(locale);

  const span = (ms: number): string => {
    const value = Math.max(0, ms);
    if (value < 2 * MINUTE) return `${Math.round(value / SECOND)}${unit.s}`;
    if (value < 2 * HOUR) return `${Math.round(value / MINUTE)}${unit.min}`;
    if (value < 2 * DAY) return `${Math.round(value / HOUR)}${unit.h}`;
    return `${Math.round(value / DAY)}${unit.d}`;
  };
  return {
    span,
    exactSpan: (ms) => {
      if (ms < SECOND) return `${Math.round(ms)}${unit.ms}`;
      return ms < 10 * SECOND ? `${(ms / SECOND).toFixed(1)}${unit.s}` : span(ms);
    },
    ago: (at, now) => {
      const text = span(Math.abs(now - at));
      if (language === 'zh') return at > now ? `${text}后` : `${text}前`;
      return at > now ? `in ${text}` : `${text} ago`;
    },
    moment,
    clock: (at, now) => `${moment(at, now)} ${zoneOf(at)}`,
    exact: (at) => full.format(at),
    bytes: (count) => {
      if (count < 1_024) return `${numbers.format(count)} B`;
      if (count < 1_024 ** 2) return `${(count / 1_024).toFixed(1)} KB`;
      return `${(count / 1_024 ** 2).toFixed(1)} MB`;
    },
    count: (value) => numbers.format(value),
  };
}
