/** How long the newest ticks took, and how many rows of the database each has read. The chart itself is loaded apart. */
import { useEffect, useRef } from 'preact/hooks';
import { pageOf } from '../../../../schema/contracts/common.ts';
import { TickSchema } from '../../../../schema/contracts/ticks.ts';
import { usePage, useRead } from '../../page-context.ts';
import { Card } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';
import { middleAndMost, numbersOf } from './tick-numbers.ts';

const PageSchema = pageOf(TickSchema);
const NEWEST = 120;

export function TickPicture() {
  const { format } = usePage();
  const ticks = useRead(`/v1/timed-jobs/ticks?limit=${NEWEST}`, PageSchema, ['ticks']).data?.items ?? [];
  const place = useRef<HTMLDivElement>(null);
  const newest = ticks[0]?.tick_seq ?? 0;
  useEffect(() => {
    const element = place.current;
    if (element === null || ticks.length < 2) return undefined;
    const { at, ms, rowsRead } = numbersOf(ticks);
    let remove: () => void = () => undefined;
    let isGone = false;
    void import('../../parts/chart.ts').then(({ drawChart }) => {
      if (isGone) return;
      remove = drawChart(element, at, [
        { name: t('chart_ms'), values: ms, color: '--busy', scale: 'ms' },
        { name: t('chart_rows'), values: rowsRead, color: '--wait', scale: 'rows' },
      ]);
    });
    return () => {
      isGone = true;
      remove();
    };
  }, [newest, ticks.length]);
  const took = middleAndMost(numbersOf(ticks).ms);
  if (took === null || ticks.length < 2) return null;
  return (
    <Card
      title={t('chart_ticks')}
      id="chart"
      note={t('chart_took', {
        middle: format.exactSpan(took.middle),
        most: format.exactSpan(took.most),
        n: ticks.length,
      })}
    >
      <div ref={place} class="chart" aria-hidden="true" />
      <p class="legend note" aria-hidden="true">
        <span class="dot busy" /> {t('chart_ms')} <span class="dot wait" /> {t('chart_rows')}
      </p>
    </Card>
  );
}
