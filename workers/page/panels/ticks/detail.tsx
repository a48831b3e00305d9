/** One tick: what each of its jobs did. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { TickEntry } from '../../../../schema/contracts/ticks.ts';
import { TickSchema } from '../../../../schema/contracts/ticks.ts';
import { makeVisibleLine, visibleJson } from '../../../../schema/domain/visible.ts';
import { usePage, useRead } from '../../page-context.ts';
import { Detail, Missing } from '../../parts/detail.tsx';
import type { Column } from '../../parts/list.tsx';
import { Table } from '../../parts/list.tsx';
import { Heading, Status, When } from '../../parts/parts.tsx';
import { TICK_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';

const PageSchema = pageOf(TickSchema);

function detailsOf({
  ts: _ts,
  batch_id: _batch,
  runner: _runner,
  stage: _stage,
  result: _result,
  duration_ms: _ms,
  error,
  trigger: _by,
  ...more
}: TickEntry) {
  return [
    error && makeVisibleLine(error),
    ...Object.entries(more).map(
      ([name, value]) =>
        `${name.replaceAll('_', ' ')}: ${typeof value === 'string' ? makeVisibleLine(value) : visibleJson(value)}`,
    ),
  ]
    .filter(Boolean)
    .join(' · ');
}

export default function TickPanel({ id }: PanelProps) {
  const { format } = usePage();
  const name = { kind: 'tick', id, list: { href: '/ticks', name: 'nav_ticks' } } as const;
  const seq = /^\d{1,15}$/.test(id) ? Number(id) : null;
  const read = useRead(
    seq === null ? null : `/v1/timed-jobs/ticks?after=${Math.max(0, seq - 1)}&limit=1`,
    PageSchema,
    [],
  );
  const columns: Column<TickEntry>[] = [
    { name: t('job'), kind: 'tight', cell: ({ runner }) => runner },
    { name: t('stage'), kind: 'tight', cell: ({ stage }) => stage.replaceAll('_', ' ') },
    { name: t('result'), kind: 'tight', cell: ({ result }) => result },
    { name: t('took'), kind: 'end', cell: ({ duration_ms }) => format.exactSpan(duration_ms) },
    { name: t('details'), cell: (entry) => <span class="note">{detailsOf(entry)}</span> },
  ];
  if (seq === null) return <Missing {...name} />;
  return (
    <Detail of={read} name={name}>
      {({ items: [tick] }) =>
        tick === undefined || tick.tick_seq !== seq ? (
          <Missing {...name} />
        ) : (
          <>
            <Heading above={<a href="/ticks">{t('nav_ticks')}</a>} title={t('tick_n', { seq: tick.tick_seq })}>
              <Status kind="tick" value={tick.decision} tone={TICK_TONES[tick.decision]} />
              <span class="note">
                {word('trigger', tick.trigger)} · {format.exactSpan(tick.finished_at - tick.started_at)} ·{' '}
                <When at={tick.started_at} />
              </span>
            </Heading>
            <Table
              rows={tick.entries}
              columns={columns}
              keyOf={(entry) => `${entry.ts} ${entry.runner} ${entry.stage} ${detailsOf(entry)}`}
            />
          </>
        )
      }
    </Detail>
  );
}
