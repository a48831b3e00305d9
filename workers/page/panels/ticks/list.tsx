/** The runs of the timed jobs, with how long each took. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Tick } from '../../../../schema/contracts/ticks.ts';
import { TICK_DECISIONS, TICK_TRIGGERS, TickResponseSchema, TickSchema } from '../../../../schema/contracts/ticks.ts';
import { callEdge } from '../../api/client.ts';
import { usePage, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Status, When } from '../../parts/parts.tsx';
import { TICK_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import { RowsPicture } from './rows-picture.tsx';
import { TICKS_READ_MS } from './tick-numbers.ts';
import { TickPicture } from './tick-picture.tsx';

const PageSchema = pageOf(TickSchema);

export default function Ticks() {
  const { format } = usePage();
  const { isOperator } = useRights();
  const columns: Column<Tick>[] = [
    { name: t('tick'), kind: 'tight', cell: ({ tick_seq }) => <a href={`/ticks/${tick_seq}`}>{tick_seq}</a> },
    { name: t('status'), cell: ({ decision }) => <Status kind="tick" value={decision} tone={TICK_TONES[decision]} /> },
    { name: t('trigger'), kind: 'tight', cell: ({ trigger }) => word('trigger', trigger) },
    { name: t('took'), kind: 'end', cell: ({ started_at, finished_at }) => format.exactSpan(finished_at - started_at) },
    { name: t('started'), kind: 'tight', cell: ({ started_at }) => <When at={started_at} /> },
  ];
  const tick = () => callEdge('/v1/timed-jobs/tick', TickResponseSchema, { method: 'POST', body: {} });
  return (
    <>
      <Heading title={t('nav_ticks')}>
        {isOperator ? <Act label={t('tick_now')} run={tick} done={t('ticked')} /> : null}
      </Heading>
      <div class="columns">
        <TickPicture />
        <RowsPicture />
      </div>
      <List
        path="/v1/timed-jobs/ticks"
        schema={PageSchema}
        topics={[]}
        everyMs={TICKS_READ_MS}
        columns={columns}
        keyOf={(row) => String(row.tick_seq)}
        empty={t('no_ticks')}
        filters={[
          {
            name: 'decision',
            label: t('status'),
            options: TICK_DECISIONS.map((one) => [one, word('tick', one)] as const),
          },
          {
            name: 'trigger',
            label: t('trigger'),
            options: TICK_TRIGGERS.map((one) => [one, word('trigger', one)] as const),
          },
        ]}
      />
    </>
  );
}
