/** Finding objects by id, address or title, and words in texts. */
import {
  SearchQuerySchema,
  SearchResponseSchema,
  TextSearchQuerySchema,
  TextSearchResponseSchema,
} from '../../schema/contracts/search.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, read } from '../http/route.ts';
import { search } from './search.ts';
import { searchTexts } from './search-texts.ts';

export const searching: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/search',
      summary: 'Objects by the beginning of an id, by the address of a chat, or by a piece of a title',
      tag: 'search',
      roles: READERS,
      query: SearchQuerySchema,
      data: SearchResponseSchema,
    },
    ({ db, query: { q } }) => search(db, q),
  ),
  read(
    {
      method: 'get',
      path: '/v1/search/texts',
      summary: 'Words in messages, in calls and outputs of instructions and in tasks, from the newest on',
      tag: 'search',
      roles: READERS,
      query: TextSearchQuerySchema,
      data: TextSearchResponseSchema,
      errors: ['conversation_not_found'],
    },
    ({ db, query }) => searchTexts(db, query),
  ),
];
