/** One route to find an object by id or text. */
import { SearchQuerySchema, SearchResponseSchema } from '../../schema/contracts/search.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, read } from '../http/route.ts';
import { search } from './search.ts';

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
];
