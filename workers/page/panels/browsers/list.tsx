/** The Firefox profiles with the extension. */
import type { Column } from '../../parts/list.tsx';
import { Table } from '../../parts/list.tsx';
import { Heading, Nothing, Pill, Shown, When } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import { Logins } from './logins.tsx';
import type { Browser } from './read-browsers.ts';
import { useBrowsers } from './read-browsers.ts';

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
      <Shown of={useBrowsers()}>
        {({ clients }) =>
          clients.length === 0 ? (
            <Nothing>{t('no_browsers')}</Nothing>
          ) : (
            <Table rows={clients} columns={columns} keyOf={({ client_id }) => client_id} />
          )
        }
      </Shown>
    </>
  );
}
