/** Deliveries per hour by outcome, and how late renewals have left. Absent until something was counted. */
import type { CountedOutcome, StatsHour } from '../../../../schema/contracts/stats.ts';
import { StatsSchema } from '../../../../schema/contracts/stats.ts';
import { usePage, useRead } from '../../page-context.ts';
import type { Column } from '../../parts/list.tsx';
import { When } from '../../parts/parts.tsx';
import { Picture } from '../../parts/picture.tsx';
import { DRAWN_OUTCOMES, outcomesOf, quantileMs, stackedOutcomes } from '../../parts/stat-numbers.ts';
import type { Tone } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';

const EVERY_MS = 60_000;
const HOUR_SEC = 3_600;
const HALF = 0.5;
const MOST = 0.95;
const TONES: Readonly<Record<CountedOutcome, Tone>> = {
  delivered: 'good',
  deferred: 'calm',
  uncertain: 'wait',
  failed: 'bad',
  given_up: 'busy',
};

export function RenewalPictures() {
  const hours = useRead('/v1/stats', StatsSchema, [], EVERY_MS).data?.hours ?? [];
  return (
    <div class="columns">
      {hours.some(({ deliveries }) => deliveries.length > 0) ? <Deliveries hours={hours} /> : null}
      {hours.some(({ lateness }) => lateness.count > 0) ? <Lateness hours={hours} /> : null}
    </div>
  );
}

const startOf = ({ hour }: StatsHour) => hour / 1_000;
const hourColumn = (): Column<StatsHour> => ({
  name: t('hour'),
  kind: 'tight',
  cell: ({ hour }) => <When at={hour} isExact />,
});
const time = { lasts: HOUR_SEC };

function Deliveries({ hours }: { hours: readonly StatsHour[] }) {
  const { format } = usePage();
  const columns: Column<StatsHour>[] = DRAWN_OUTCOMES.map((outcome) => ({
    name: word('outcome', outcome),
    kind: 'end',
    cell: (row) => format.count(outcomesOf(row)[outcome]),
  }));
  return (
    <Picture
      id="deliveries"
      title={t('chart_deliveries')}
      note={t('chart_deliveries_are')}
      at={hours.map(startOf)}
      series={stackedOutcomes(hours).map(({ outcome, tops }) => ({
        name: word('outcome', outcome),
        values: tops,
        tone: TONES[outcome],
        scale: 'deliveries',
        isBars: true,
      }))}
      legend={DRAWN_OUTCOMES.map((outcome) => ({ name: word('outcome', outcome), tone: TONES[outcome] }))}
      time={time}
      rows={hours.filter(({ deliveries }) => deliveries.length > 0).reverse()}
      columns={[hourColumn(), ...columns]}
      keyOf={({ hour }) => String(hour)}
    />
  );
}

function Lateness({ hours }: { hours: readonly StatsHour[] }) {
  const { format } = usePage();
  const within = (row: StatsHour, part: number) => quantileMs(row.lateness, part);
  const seconds = (part: number) =>
    hours.map((row) => {
      const ms = within(row, part);
      return ms === null ? null : ms / 1_000;
    });
  const columns: Column<StatsHour>[] = [
    hourColumn(),
    { name: t('nav_renewals'), kind: 'end', cell: ({ lateness }) => format.count(lateness.count) },
    { name: t('chart_half'), kind: 'end', cell: (row) => format.exactSpan(within(row, HALF) ?? 0) },
    { name: t('chart_most'), kind: 'end', cell: (row) => format.exactSpan(within(row, MOST) ?? 0) },
  ];
  return (
    <Picture
      id="lateness"
      title={t('chart_lateness')}
      note={t('chart_lateness_is')}
      at={hours.map(startOf)}
      series={[
        { name: t('chart_half'), values: seconds(HALF), tone: 'busy', scale: 's' },
        { name: t('chart_most'), values: seconds(MOST), tone: 'wait', scale: 's' },
      ]}
      time={time}
      rows={hours.filter(({ lateness }) => lateness.count > 0).reverse()}
      columns={columns}
      keyOf={({ hour }) => String(hour)}
    />
  );
}
