/** Rows of D1 read and written each day, against what the free plan has for a day. Absent until something was counted. */
import type { StatsDay } from '../../../../schema/contracts/stats.ts';
import { StatsSchema } from '../../../../schema/contracts/stats.ts';
import { usePage, useRead } from '../../page-context.ts';
import type { Column } from '../../parts/list.tsx';
import { Picture } from '../../parts/picture.tsx';
import { partOfPlan } from '../../parts/stat-numbers.ts';
import { t } from '../../texts/texts.ts';

const EVERY_MS = 60_000;
const DAY_SEC = 86_400;
const isoDay = ({ day }: StatsDay) => new Date(day).toISOString().slice(0, 10);

export function RowsPicture() {
  const { format } = usePage();
  const stats = useRead('/v1/stats', StatsSchema, [], EVERY_MS).data;
  if (stats === null || stats.days.every(({ rows_read }) => rows_read === 0)) return null;
  const { days, free_plan } = stats;
  const parts = days.map((day) => partOfPlan(day, free_plan));
  const percent = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
  const ofPlan = (rows: number, part: number) => `${format.count(rows)} (${percent(part)})`;
  const columns: Column<StatsDay>[] = [
    { name: t('day'), kind: 'tight', cell: isoDay },
    {
      name: t('chart_rows'),
      kind: 'end',
      cell: (day) => ofPlan(day.rows_read, partOfPlan(day, free_plan).read),
    },
    {
      name: t('chart_written'),
      kind: 'end',
      cell: (day) => ofPlan(day.rows_written, partOfPlan(day, free_plan).written),
    },
  ];
  return (
    <Picture
      id="rows"
      title={t('chart_days')}
      note={t('chart_days_are')}
      at={days.map(({ day }) => day / 1_000)}
      series={[
        { name: t('chart_rows'), values: parts.map(({ read }) => read), tone: 'busy', scale: '%' },
        { name: t('chart_written'), values: parts.map(({ written }) => written), tone: 'wait', scale: '%' },
      ]}
      time={{ lasts: DAY_SEC, isByDay: true }}
      rows={[...days].reverse()}
      columns={columns}
      keyOf={isoDay}
    />
  );
}
