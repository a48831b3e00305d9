/** What a search has found: objects by their ids and titles, and words in texts; each with its address. */
import { useLocation } from 'preact-iso/router';
import type { Found } from '../../../../schema/contracts/search.ts';
import { SearchResponseSchema } from '../../../../schema/contracts/search.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { usePage, useRead, withQuery } from '../../page-context.ts';
import type { Column } from '../../parts/list.tsx';
import { Table } from '../../parts/list.tsx';
import { Card, Heading, Id, Nothing, Pill, Shown } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { addressOf } from './address-of.ts';
import { FoundTexts } from './found-texts.tsx';

export default function SearchPanel() {
  const { q = '', conversation, cursor } = useLocation().query;
  return (
    <>
      <Heading title={q === '' ? t('nav_search') : t('search_for', { q: makeVisibleLine(q) })} />
      {q === '' ? (
        <Nothing>{t('search')}</Nothing>
      ) : (
        <>
          {conversation === undefined && cursor === undefined ? <FoundObjects q={q} /> : null}
          <FoundTexts q={q} conversation={conversation} cursor={cursor} />
        </>
      )}
    </>
  );
}

function FoundObjects({ q }: { q: string }) {
  const { format } = usePage();
  const read = useRead(withQuery('/v1/search', { q }), SearchResponseSchema, []);
  const columns: Column<Found>[] = [
    { name: t('kind'), kind: 'tight', cell: ({ kind }) => <Pill tone="calm">{word('found', kind)}</Pill> },
    { name: t('title'), cell: (one) => <a href={addressOf(one)}>{makeVisibleLine(one.title ?? one.id)}</a> },
    { name: t('id'), kind: 'tight', cell: (one) => <Id id={one.id} href={addressOf(one)} /> },
  ];
  return (
    <Card title={t('search_objects')} id="found-objects">
      <Shown of={read}>
        {({ items, has_more, titles_searched }) => (
          <>
            {items.length === 0 ? (
              <Nothing>{t('search_nothing')}</Nothing>
            ) : (
              <Table rows={items} columns={columns} keyOf={({ id }) => id} />
            )}
            <p class="note">
              {has_more ? `${t('search_more')} ` : ''}
              {t('search_bounds', { n: format.count(titles_searched) })}
            </p>
          </>
        )}
      </Shown>
    </Card>
  );
}
