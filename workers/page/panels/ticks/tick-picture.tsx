/** How long the newest ticks took, and how many rows of the database each has read. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Tick } from '../../../../schema/contracts/ticks.ts';
import { TickSchema } from '../../../../schema/contracts/ticks.ts';
import { usePage, useRead } from '../../page-context.ts';
import type { Column } from '../../parts/list.tsx';
import { When } from '../../parts/parts.tsx';
import { Picture } from '../../parts/picture.tsx';
import { t } from '../../texts/texts.ts';
import { middleAndMost, numbersOf, TICKS_READ_MS } from './tick-numbers.ts';

const PageSchema = pageOf(TickSchema);
const NEWEST = 120;

export function TickPicture() {
  const { format } = usePage();
  const ticks = useRead(`/v1/timed-jobs/ticks?limit=${NEWEST}`, PageSchema, [], TICKS_READ_MS).data?.items ?? [];
  const { at, ms, rowsRead } = numbersOf(ticks);
  const took = middleAndMost(ms);
  if (took === null || ticks.length < 2) return null;
  const columns: Column<Tick>[] = [
    { name: t('tick'), kind: 'tight', cell: ({ tick_seq }) => <a href={`/ticks/${tick_seq}`}>{tick_seq}</a> },
    { name: t('started'), kind: 'tight', cell: ({ started_at }) => <When at={started_at} isExact /> },
    { name: t('chart_ms'), kind: 'end', cell: ({ started_at, finished_at }) => format.count(finished_at - started_at) },
    {
      name: t('chart_rows'),
      kind: 'end',
      cell: (tick) => {
        const rows = numbersOf([tick]).rowsRead[0] ?? null;
        return rows === null ? '–' : format.count(rows);
      },
    },
  ];
  return (
    <Picture
      id="chart"
      title={t('chart_ticks')}
      note={t('chart_took', {
        middle: format.exactSpan(took.middle),
        most: format.exactSpan(took.most),
        n: ticks.length,
      })}
      at={at}
      series={[
        { name: t('chart_ms'), values: ms, tone: 'busy', scale: 'ms' },
        { name: t('chart_rows'), values: rowsRead, tone: 'wait', scale: 'rows' },
      ]}
      time={{ lasts: 0 }}
      rows={ticks}
      columns={columns}
      keyOf={({ tick_seq }) => String(tick_seq)}
    />
  );
}
