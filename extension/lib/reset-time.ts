/** When a limit ends, from a notice such as "Your limit resets after 5:30 PM". */

const CLOCK = /\b(\d{1,2})[:.](\d{2})(?:\s*([ap])\.?\s?m\.?)?/i;
const DAY_MS = 86_400_000;

/** The next time that a clock here shows that hour; null when the text names none. */
export function resetTime(text: string, now: number): number | null {
  const [, hours, minutes, half] = CLOCK.exec(text) ?? [];
  const hour = hourOf(Number(hours), half);
  if (hour === null || Number(minutes) > 59) return null;
  const at = new Date(now);
  at.setHours(hour, Number(minutes), 0, 0);
  return at.getTime() > now ? at.getTime() : at.getTime() + DAY_MS;
}

function hourOf(hour: number, half: string | undefined): number | null {
  if (half === undefined) return hour <= 23 ? hour : null;
  if (!(hour >= 1 && hour <= 12)) return null;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}
