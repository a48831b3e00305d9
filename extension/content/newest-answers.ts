/** The newest messages of the assistant that a page shows, newest first. */
import type { PageTurn, SitePage } from '../sites/page.ts';

/** Reads no more of the page than it takes to find so many. */
export function newestAnswers(page: Pick<SitePage, 'newestTurns'>, document: Document, most: number): PageTurn[] {
  const answers: PageTurn[] = [];
  for (const turn of page.newestTurns(document)) {
    if (turn.role === 'assistant') answers.push(turn);
    if (answers.length >= most) break;
  }
  return answers;
}
