/** The suggestions of the parser for a misspelt word: only those that a slip of the fingers explains are shown. */

const MAX_EDITS = 2;
/** At most this part of the word may differ. */
const MAX_PART = 1 / 3;

/** How many letters are added, left out, replaced or exchanged with their neighbour. */
function editsBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const edits = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i += 1) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = edits(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = isExchanged ? edits(i - 2, j - 2) + 1 : replaced;
      rows[i]?.push(Math.min(edits(i - 1, j) + 1, edits(i, j - 1) + 1, replaced, exchanged));
    }
  }
  return edits(a.length, b.length);
}

function isNear(typed: string, known: string): boolean {
  const [a, b] = [typed, known].map((word) => word.replace(/^--/, '')) as [string, string];
  const edits = editsBetween(a, b);
  return edits <= MAX_EDITS && edits <= Math.max(a.length, b.length) * MAX_PART;
}

const SUGGESTION = /\n\(Did you mean (?:one of )?([^?]+)\?\)/;

/** The parser's message, without suggestions that are too far from what was typed. */
export function withNearSuggestions(message: string): string {
  const typed = /unknown (?:option|command) '([^']*)'/.exec(message)?.[1] ?? '';
  return message.replace(SUGGESTION, (_all, words: string) => {
    const near = words.split(', ').filter((word) => isNear(typed, word));
    if (near.length === 0) return '';
    return `\n(Did you mean ${near.length > 1 ? 'one of ' : ''}${near.join(', ')}?)`;
  });
}
