/** Texts of others in logs and errors: their beginning, and how much was left out. */

/** The text when it has at most `max` characters; else its first `max` and how many more there were. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max).toWellFormed()}… (${text.length - max} more characters)`;
}
