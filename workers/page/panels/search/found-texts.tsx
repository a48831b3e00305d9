/** Words in messages, instructions and tasks, from the newest on: a part at a time, everywhere or in one conversation. */
import type { FoundText } from '../../../../schema/contracts/search.ts';
import { TextSearchResponseSchema } from '../../../../schema/contracts/search.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { usePage, useRead, withQuery } from '../../page-context.ts';
import type { Column } from '../../parts/list.tsx';
import { Pages, Table } from '../../parts/list.tsx';
import { Card, Id, Nothing, Pill, Shown, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { addressOf } from './address-of.ts';

interface Props {
  q: string;
  conversation: string | undefined;
  cursor: string | undefined;
}

export function FoundTexts({ q, conversation, cursor }: Props) {
  const { format } = usePage();
  const path = withQuery('/v1/search/texts', { q, cursor, local_conversation_id: conversation });
  const read = useRead(q.trim().length < 2 ? null : path, TextSearchResponseSchema, []);
  const columns: Column<FoundText>[] = [
    {
      name: t('kind'),
      kind: 'tight',
      cell: ({ kind, place }) => (
        <>
          <Pill tone="calm">{word('found', kind)}</Pill> {kind === 'message' ? null : word('text_place', place)}
        </>
      ),
    },
    {
      name: t('search_words'),
      cell: (one) => (
        <a href={addressOf(one)}>
          {makeVisibleLine(one.before)}
          <mark>{makeVisibleLine(one.match)}</mark>
          {makeVisibleLine(one.after)}
        </a>
      ),
    },
    {
      name: t('conversation'),
      kind: 'tight',
      cell: ({ local_conversation_id: id }) => (id === null ? null : <Id id={id} href={`/conversations/${id}`} />),
    },
    { name: t('created'), kind: 'tight', cell: ({ at }) => <When at={at} /> },
  ];
  return (
    <Card title={t(conversation === undefined ? 'search_texts' : 'search_texts_of_one')} id="found-texts">
      {conversation === undefined ? null : (
        <p class="note">
          <a href={`/conversations/${encodeURIComponent(conversation)}`}>{conversation}</a>
          {' · '}
          <a href={withQuery('/search', { q })}>{t('search_everywhere')}</a>
        </p>
      )}
      {q.trim().length < 2 ? <Nothing>{t('search_too_short')}</Nothing> : null}
      <Shown of={read}>
        {({ items, back_to, next_cursor }) => (
          <>
            {items.length === 0 ? (
              <Nothing>{t('search_texts_nothing')}</Nothing>
            ) : (
              <Table rows={items} columns={columns} keyOf={({ id }) => id} />
            )}
            <p class="note">
              {back_to === null ? t('search_whole') : t('search_back_to', { at: format.exact(back_to) })}
            </p>
            <Pages next={next_cursor} />
          </>
        )}
      </Shown>
    </Card>
  );
}
