/** Who leads, and who led before: each term with how long it lasted. */
import { useLocation } from 'preact-iso/router';
import { pageOf } from '../../../../schema/contracts/common.ts';
import { LeaderTermSchema, LeaseViewSchema } from '../../../../schema/contracts/leader.ts';
import { usePage, useRead, withQuery } from '../../page-context.ts';
import { FindAddressed } from '../../parts/addressed.tsx';
import { Axis } from '../../parts/axis.tsx';
import { Pages } from '../../parts/list.tsx';
import { Card, Facts, Heading, Nothing, Shown, When } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import type { Term } from './terms.ts';
import { termsWithEnds } from './terms.ts';

const TermsSchema = pageOf(LeaderTermSchema);
/** Terms of one page. */
const SHOWN = 50;
const LEASE_EVERY_MS = 10_000;

export default function Leadership() {
  const { format } = usePage();
  const lease = useRead('/v1/leader', LeaseViewSchema, ['leader'], LEASE_EVERY_MS);
  const { cursor } = useLocation().query;
  const terms = useRead(withQuery('/v1/leader/terms', { cursor, limit: SHOWN }), TermsSchema, ['leader']);
  return (
    <>
      <Heading title={t('nav_leadership')} />
      <Shown of={lease}>
        {(view) => (
          <Card title={t('leader')} id="leader">
            <Facts
              of={[
                [
                  t('leader'),
                  view.holder_id === null ? (
                    t('no_leader')
                  ) : (
                    <a href={`/nodes/${encodeURIComponent(view.holder_id)}`}>{view.holder_id}</a>
                  ),
                ],
                [t('host'), view.holder_host],
                [t('term'), format.count(view.term)],
                [t('lease_renewed'), view.renewed_at === null ? null : <When at={view.renewed_at} />],
                [t('lease_ends'), view.holder_id === null ? null : format.span(view.expires_in_ms)],
                [t('yields_to'), view.preferred_holder_id],
              ]}
            />
          </Card>
        )}
      </Shown>
      <Shown of={terms}>
        {({ items, next_cursor }) => {
          const all = termsWithEnds(items, cursor === undefined && lease.data?.holder_id !== null);
          return (
            <Card title={t('terms')} id="terms" note={t('terms_newest_first')}>
              {all.length === 0 ? (
                <Nothing>{t('no_terms')}</Nothing>
              ) : (
                <Axis rows={all.map((term) => rowOf(term, format.span))} isAddressed />
              )}
              <FindAddressed ids={all.map(({ term }) => String(term))} next={next_cursor} />
              <Pages next={next_cursor} />
            </Card>
          );
        }}
      </Shown>
    </>
  );
}

function rowOf({ term, holder_id, holder_host, acquired_at, ended_at }: Term, span: (ms: number) => string) {
  const lasted = (ended_at ?? Date.now()) - acquired_at;
  return {
    key: String(term),
    name: (
      <>
        <a href={`/leadership#${term}`}>
          <strong>{t('term_n', { n: term })}</strong>
        </a>{' '}
        <a href={`/nodes/${encodeURIComponent(holder_id)}`}>{holder_id}</a> <span class="faint">{holder_host}</span>
      </>
    ),
    note: (
      <>
        {t('at_most', { span: span(lasted) })} · <When at={acquired_at} />
      </>
    ),
    spans: [
      {
        key: 's',
        start: acquired_at,
        end: ended_at,
        tone: ended_at === null ? ('good' as const) : ('calm' as const),
        title: holder_id,
      },
    ],
  };
}
