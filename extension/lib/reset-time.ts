/**
 * When a limit ends, from a notice such as "Your limit resets after 5:30 PM". A notice may name other numbers, such as the
 * version of a model: the first clock after a word of a reset counts, else the first one.
 */

const CLOCK = /(?<![\w.:])(\d{1,2})([:.])(\d{2})(?![:.]?\d)(?:\s*([ap])\.?\s?m\b)?/gi;
const RESET_WORD =
  /\b(?:resets?|again|available|until|after|zurückgesetzt|wieder|erneut|bis|restablece|nuevo|hasta|réinitialis|nouveau|disponible|jusqu)|重置|恢复|恢復|リセット/i;
/** Before or after a number with a point, these say that it is a clock. */
const TIME_WORD_BEFORE = /\b(?:at|after|until|um|ab|bis|nach|gegen|las|à|às|alle|kl\.?)\s*$/i;
const TIME_WORD_AFTER = /^\s*(?:uhr\b|h\b|点|點|時)/i;
const DAY_MS = 86_400_000;

/** The next time that a clock here shows that hour; null when the text names none. */
export function resetTime(text: string, now: number): number | null {
  const clocks = [...text.matchAll(CLOCK)].flatMap((match) => {
    const minutes = minutesOf(match, text);
    return minutes === null ? [] : [{ minutes, index: match.index }];
  });
  const word = RESET_WORD.exec(text)?.index ?? 0;
  const found = clocks.find(({ index }) => index > word) ?? clocks[0];
  if (found === undefined) return null;
  const at = new Date(now);
  at.setHours(0, found.minutes, 0, 0);
  return at.getTime() > now ? at.getTime() : at.getTime() + DAY_MS;
}

/** Of the day; null when the number is no time of a day. */
function minutesOf(match: RegExpExecArray, text: string): number | null {
  const [all, hours, separator, minutes, half] = match;
  const before = text.slice(0, match.index);
  const isNamed = TIME_WORD_BEFORE.test(before) || TIME_WORD_AFTER.test(text.slice(before.length + all.length));
  if (separator === '.' && half === undefined && !isNamed) return null;
  const hour = hourOf(Number(hours), half);
  return hour === null || Number(minutes) > 59 ? null : hour * 60 + Number(minutes);
}

function hourOf(hour: number, half: string | undefined): number | null {
  if (half === undefined) return hour <= 23 ? hour : null;
  if (!(hour >= 1 && hour <= 12)) return null;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}
