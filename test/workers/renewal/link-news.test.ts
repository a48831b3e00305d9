import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { LinkObservation } from '../../../schema/contracts/conversations.ts';
import { LINK } from '../../../schema/defaults.ts';
import { openDatabase, runBatch } from '../../../workers/db/open.ts';
import type { Edge } from '../../../workers/db/plan.ts';
import { observeLinks } from '../../../workers/renewal/links.ts';
import { NODE, rowsOf } from '../support/edge.ts';

const START = 1_000_000_000;

/** A browser sees the conversation at `at`. */
async function observe(conversation: string, at: number, more: Partial<LinkObservation> & { client?: string } = {}) {
  const { client: client_id = 'firefox-1', ...seen } = more;
  const link: LinkObservation = {
    remote_conversation_id: conversation,
    page_url: `https://chatgpt.com/c/${conversation}`,
    page_title: 'A chat',
    tab_id: 17,
    shell_page: false,
    observed_at: at,
    ...seen,
  };
  const edge: Edge = { env, db: openDatabase(env.DB), now: at };
  const tabs = [{ ...link, platform: 'chatgpt' as const }];
  const { statements = [] } = await observeLinks(edge, { controller_id: NODE, client_id, tabs });
  await runBatch(edge.db, statements);
}

const linksOf = (conversation: string) =>
  rowsOf<{ client_id: string; observed_at: number; target_id: string }>(
    `SELECT client_id, observed_at, target_id FROM conversation_links WHERE remote_conversation_id = ?
      ORDER BY observed_at DESC`,
    conversation,
  );

describe('observed links', () => {
  it('a link seen again is not written within ten minutes when only the time differs', async () => {
    await observe('same', START);
    await observe('same', START + LINK.observed_grain_ms - 1);
    expect(await linksOf('same')).toMatchObject([{ observed_at: START }]);
    await observe('same', START + LINK.observed_grain_ms);
    expect(await linksOf('same')).toMatchObject([{ observed_at: START + LINK.observed_grain_ms }]);
  });

  it.each([
    ['tab', { tab_id: 18 }],
    ['title', { page_title: 'Another title' }],
    ['address', { page_url: 'https://chatgpt.com/g/g-1/c/x' }],
  ])('a link seen again is written at once when its %s differs', async (what, more) => {
    await observe(what, START);
    await observe(what, START + 1, more);
    expect(await linksOf(what)).toMatchObject([{ observed_at: START + 1 }]);
  });

  it('a link seen again is written at once when another browser has seen the conversation since, so that it is the newest', async () => {
    await observe('two', START);
    await observe('two', START + 1, { client: 'firefox-2' });
    await observe('two', START + 2);
    expect((await linksOf('two')).map((link) => link.client_id)).toEqual(['firefox-1', 'firefox-2']);
    await observe('two', START + 3);
    expect(await linksOf('two'), 'it is the newest already').toMatchObject([{ observed_at: START + 2 }, {}]);
  });

  it('an observation that arrives late does not set a link back', async () => {
    await observe('late', START + 2, { tab_id: 18 });
    await observe('late', START + 1, { tab_id: 17 });
    expect(await linksOf('late')).toMatchObject([{ target_id: 'tab:18' }]);
  });
});
