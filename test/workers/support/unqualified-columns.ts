/**
 * drizzle leaves out the table of a column inside a raw `sql` field of a select from one table. Inside a subselect there
 * the bare name means a column of the subselect's own table, so a condition compares a column with itself.
 */

/** A column without its table inside a subselect of the fields of that query; null when there is none. */
export function unqualifiedInSubselect(text: string): string | null {
  // A quoted word inside a text is no column.
  const query = withoutBuilders(text.replace(/'[^']*'/g, "''"));
  const from = topLevelFrom(query);
  const fields = from === -1 ? query : query.slice(0, from);
  for (const start of fields.matchAll(/\(\s*SELECT\b/g)) {
    const found = /(?<![.\w"])(?<!\bas\s)"(\w+)"(?!\s*\.)/i.exec(
      fields.slice(start.index, closing(fields, start.index)),
    );
    if (found) return found[1] ?? null;
  }
  return null;
}

/** The query without the selects that drizzle itself has built into it: they begin in lower case, and have one table. */
function withoutBuilders(query: string): string {
  const start = /\(\s*select\b/.exec(query)?.index;
  if (start === undefined) return query;
  return withoutBuilders(`${query.slice(0, start)}()${query.slice(closing(query, start) + 1)}`);
}

/** Where the FROM of the outermost select begins. */
function topLevelFrom(query: string): number {
  for (const { index } of query.matchAll(/\bfrom\b/gi)) if (depthAt(query, index) === 0) return index;
  return -1;
}

/** Where the parenthesis at `start` is closed. */
function closing(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

function depthAt(text: string, end: number): number {
  let depth = 0;
  for (const character of text.slice(0, end)) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
  }
  return depth;
}
