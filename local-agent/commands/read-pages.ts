/**
 * Lists of the edge that are read to their end, page by page. An edge that is broken or hostile could name a next page
 * that leads nowhere, again and again: each page has to lead further, and there is a most number of them.
 */

/** A list cannot be read to its end. The message continues "the journal of … is". */
export class EndlessPagesError extends Error {
  override readonly name = 'EndlessPagesError';
}

/** Far more than any list has: a page holds up to 200 rows. */
const MAX_PAGES = 100_000;
const ADVICE = 'The edge is broken or altered: check what is deployed there';

interface ChainPart {
  items: readonly unknown[];
  /** The number of the last link of this page; null at the end of the chain. */
  next_after: number | null;
}

/** The pages of a chain from its first link on. @throws EndlessPagesError */
export async function* readChain<Page extends ChainPart>(read: (after: number) => Promise<Page>): AsyncGenerator<Page> {
  let after = 0;
  for (let pages = 1; pages <= MAX_PAGES; pages += 1) {
    const page = await read(after);
    yield page;
    const { items, next_after } = page;
    if (next_after === null) return;
    if (next_after <= after || items.length === 0) {
      const what = `the page behind number ${after} has ${items.length} entries and says next_after: ${next_after}`;
      throw new EndlessPagesError(`not read to its end: ${what}, which leads no further. ${ADVICE}`);
    }
    after = next_after;
  }
  throw new EndlessPagesError(`not read to its end: it has more than ${MAX_PAGES} pages. ${ADVICE}`);
}

interface ListPart<Item> {
  items: readonly Item[];
  next_cursor: string | null;
}

/** All rows of a list. `read` gets no cursor for the first page. @throws EndlessPagesError */
export async function readList<Item>(
  name: string,
  read: (cursor: string | null) => Promise<ListPart<Item>>,
): Promise<Item[]> {
  const all: Item[] = [];
  const seen = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: ListPart<Item> = await read(cursor);
    all.push(...page.items);
    cursor = page.next_cursor;
    if (cursor !== null && (seen.has(cursor) || seen.size >= MAX_PAGES)) {
      throw new EndlessPagesError(`the list of ${name} cannot be read to its end: the edge repeats a page. ${ADVICE}`);
    }
    if (cursor !== null) seen.add(cursor);
  } while (cursor !== null);
  return all;
}
