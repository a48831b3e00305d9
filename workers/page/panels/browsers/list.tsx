/** The Firefox profiles with the extension. */
import { LOGIN_STATES } from '../../../../schema/contracts/clients.ts';
import { PLATFORM_IDS } from '../../../../schema/contracts/common.ts';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { Logins } from './logins.tsx';
import type { Browser } from './read-browsers.ts';
import { BrowserListSchema } from './read-browsers.ts';

export default function Browsers() {
  const columns: Column<Browser>[] = [
    { name: t('browser'), cell: ({ client_id: id }) => <a href={`/browsers/${encodeURIComponent(id)}`}>{id}</a> },
    {
      name: t('status'),
      kind: 'tight',
      cell: ({ connected }) => (
        <Pill tone={connected ? 'good' : 'calm'}>{t(connected ? 'connected' : 'not_connected')}</Pill>
      ),
    },
    { name: t('sites'), cell: ({ platforms }) => <Logins platforms={platforms} /> },
    {
      name: t('node'),
      kind: 'tight',
      cell: ({ controller_id: id }) => <a href={`/nodes/${encodeURIComponent(id)}`}>{id}</a>,
    },
    { name: t('reported'), kind: 'tight', cell: ({ updated_at }) => <When at={updated_at} /> },
  ];
  return (
    <>
      <Heading title={t('nav_browsers')} />
      <List
        path="/v1/browser"
        schema={BrowserListSchema}
        topics={['clients']}
        columns={columns}
        keyOf={({ client_id }) => client_id}
        empty={t('no_browsers')}
        filters={[
          {
            name: 'platform',
            label: t('platform'),
            options: PLATFORM_IDS.map((one) => [one, word('platform', one)] as const),
          },
          {
            name: 'status',
            label: t('login'),
            options: LOGIN_STATES.map((one) => [one, word('login', one)] as const),
          },
        ]}
      />
    </>
  );
}
