/** The address of the page that shows what a search has found. */
import type { Found, FoundKind } from '../../../../schema/contracts/search.ts';

const PATHS: Readonly<Record<FoundKind, string>> = {
  conversation: '/conversations',
  message: '/messages',
  instruction: '/instructions',
  renewal: '/renewals',
  task: '/tasks',
  run: '/runs',
  node: '/nodes',
  browser: '/browsers',
};

export const addressOf = ({ kind, id }: Pick<Found, 'kind' | 'id'>): string =>
  `${PATHS[kind]}/${encodeURIComponent(id)}`;
