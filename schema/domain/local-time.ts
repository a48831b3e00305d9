/** Days and times of day in a time zone, by the runtime's own calendar, which knows the changes of summer time. */

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(timeZone, made);
  return made;
}

/** The local day as `2026-11-21`, and the minutes since its midnight by the local clock. */
export function localTime(at: number, timeZone: string): { day: string; minutes: number } {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return {
    day: `${parts.year}-${parts.month}-${parts.day}`,
    minutes: Number(parts.hour) * 60 + Number(parts.minute),
  };
}

/** `22:30` as minutes since midnight. */
export function minutesOf(clockTime: string): number {
  const [hours = 0, minutes = 0] = clockTime.split(':').map(Number);
  return hours * 60 + minutes;
}

/**
 * The next time after `now` (Unix milliseconds) at which the local clock shows `minutes`. A time that a change to summer
 * time skips comes when the skipped hour is over.
 */
export function nextLocal(now: number, timeZone: string, minutes: number): number {
  const ahead = (minutes - localTime(now, timeZone).minutes + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES;
  const plain = Math.floor(now / MINUTE_MS) * MINUTE_MS + ahead * MINUTE_MS;
  const offBy = ((minutes - localTime(plain, timeZone).minutes + DAY_MINUTES * 1.5) % DAY_MINUTES) - DAY_MINUTES / 2;
  const corrected = plain + offBy * MINUTE_MS;
  return corrected > now && localTime(corrected, timeZone).minutes === minutes ? corrected : plain;
}

interface Hours {
  quiet_hours: { from: string; to: string } | null;
  time_zone: string;
}

/** When the quiet hours end in which `now` is; null when it is in none. From `from` until before `to`, also over midnight. */
export function quietUntil({ quiet_hours, time_zone }: Hours, now: number): number | null {
  if (quiet_hours === null) return null;
  const [begin, end] = [minutesOf(quiet_hours.from), minutesOf(quiet_hours.to)];
  const { minutes } = localTime(now, time_zone);
  const isQuiet = begin < end ? begin <= minutes && minutes < end : begin <= minutes || minutes < end;
  return isQuiet ? nextLocal(now, time_zone, end) : null;
}
