/** The addresses of the page: which panel shows what. A panel with a name is in the navigation, for the roles that may read it. */
import type { Role } from '../../../schema/contracts/tokens.ts';
import { NEXT_PATH, STATUS_PATH, WAITING_PATH } from '../api/first-paths.ts';
import type { TextKey } from '../texts/texts.ts';
import type { Panel } from './panel.ts';

export interface Address {
  /** With `:id` where the address names an object. */
  path: string;
  load: () => Promise<{ default: Panel }>;
  /** Its name in the navigation. */
  name?: TextKey;
  /** The key that leads there after `g`. */
  key?: string;
  /** What it reads first, to be asked for while its code is loaded. */
  reads?: readonly string[];
  /** All that may read, unless given. */
  roles?: readonly Role[];
}

const OPERATORS: readonly Role[] = ['ops_admin'];
const ACTING: readonly Role[] = ['browser_admin', 'ops_admin'];

export const ADDRESSES: readonly Address[] = [
  {
    path: '/',
    name: 'nav_now',
    key: 'n',
    load: () => import('./now/now.tsx'),
    reads: [STATUS_PATH, WAITING_PATH, NEXT_PATH],
  },
  {
    path: '/conversations',
    name: 'nav_conversations',
    key: 'c',
    load: () => import('./conversations/list.tsx'),
  },
  { path: '/conversations/:id', load: () => import('./conversations/detail.tsx') },
  { path: '/messages/:id', load: () => import('./messages/detail.tsx') },
  { path: '/instructions', name: 'nav_instructions', key: 'i', load: () => import('./instructions/list.tsx') },
  { path: '/instructions/:id', load: () => import('./instructions/detail.tsx') },
  { path: '/grants', roles: ACTING, load: () => import('./grants/list.tsx') },
  { path: '/renewals', name: 'nav_renewals', key: 'r', load: () => import('./renewals/list.tsx') },
  { path: '/renewals/:id', load: () => import('./renewals/detail.tsx') },
  { path: '/tasks', name: 'nav_tasks', key: 't', load: () => import('./tasks/list.tsx') },
  { path: '/tasks/:id', load: () => import('./tasks/detail.tsx') },
  { path: '/runs/:id', load: () => import('./tasks/run.tsx') },
  { path: '/nodes', name: 'nav_nodes', key: 'm', load: () => import('./nodes/list.tsx') },
  { path: '/nodes/:id', load: () => import('./nodes/detail.tsx') },
  { path: '/browsers', name: 'nav_browsers', key: 'b', load: () => import('./browsers/list.tsx') },
  { path: '/browsers/:id', load: () => import('./browsers/detail.tsx') },
  { path: '/leadership', name: 'nav_leadership', key: 'l', load: () => import('./leadership/leadership.tsx') },
  { path: '/ticks', name: 'nav_ticks', key: 'k', load: () => import('./ticks/list.tsx') },
  { path: '/ticks/:id', load: () => import('./ticks/detail.tsx') },
  { path: '/tokens', name: 'nav_tokens', key: 'o', roles: OPERATORS, load: () => import('./tokens/tokens.tsx') },
  { path: '/audit', name: 'nav_audit', key: 'a', roles: OPERATORS, load: () => import('./audit/audit.tsx') },
  { path: '/search', load: () => import('./search/search.tsx') },
  { path: '/settings', name: 'nav_settings', key: 's', load: () => import('./settings/settings.tsx') },
];

/** Those that this role may open. */
export function addressesFor(role: Role, addresses: readonly Address[] = ADDRESSES): readonly Address[] {
  return addresses.filter(({ roles }) => roles === undefined || roles.includes(role));
}
