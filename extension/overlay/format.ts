/** Times as people read them, in their language. */

export interface Format {
  /** A time of day; with its date when that is another day. */
  clock(at: number): string;
  /** A length of time in its largest unit, at least one second. */
  span(ms: number): string;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

export function formatFor(language: string, now: () => number): Format {
  const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const dateAndTime = new Intl.DateTimeFormat(language, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return {
    clock: (at) => {
      const isToday = new Date(at).toDateString() === new Date(now()).toDateString();
      return (isToday ? time : dateAndTime).format(at);
    },
    span: (ms) => {
      const [unit, unitMs] = UNITS.find(([, size]) => ms >= size) ?? UNITS[3];
      const value = Math.max(1, Math.round(ms / unitMs));
      return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
    },
  };
}
