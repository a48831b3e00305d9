/** Spans on a common time axis. What each bar says is in its text as well. */
import type { ComponentChildren } from 'preact';
import { useNow, usePage } from '../page-context.ts';
import { addressed } from './addressed.tsx';
import type { Span } from './axis-scale.ts';
import { axisOf, placeOf } from './axis-scale.ts';

export interface AxisRow {
  key: string;
  name: ComponentChildren;
  note: ComponentChildren;
  spans: readonly Span[];
}

/** `isAddressed`: the objects have no page, and the address of the list names one by its key. */
export function Axis({ rows, isAddressed = false }: { rows: readonly AxisRow[]; isAddressed?: boolean }) {
  const { format } = usePage();
  const now = useNow();
  const axis = axisOf(
    rows.flatMap(({ spans }) => spans),
    now,
  );
  return (
    <div class="axis">
      {rows.map(({ key, name, note, spans }) => (
        <div key={key} {...(isAddressed ? addressed(key, 'axis-row') : { class: 'axis-row' })}>
          <div class="axis-name">{name}</div>
          <div class="axis-track" aria-hidden="true">
            {axis === null
              ? null
              : spans.map((span) => {
                  const { left, width } = placeOf(span, axis, now);
                  return (
                    <span
                      key={span.key}
                      class={`span ${span.tone}`}
                      style={{ left: `${left}%`, width: `${width}%` }}
                      title={span.title}
                    />
                  );
                })}
          </div>
          <div class="axis-note note">{note}</div>
        </div>
      ))}
      {axis === null ? null : (
        <div class="axis-row scale" aria-hidden="true">
          <div />
          <div class="axis-track">
            {axis.ticks.map((at) => (
              <span key={at} style={{ left: `${((at - axis.from) / (axis.to - axis.from)) * 100}%` }}>
                {at === axis.from ? format.moment(at, now) : `+${format.span(at - axis.from)}`}
              </span>
            ))}
          </div>
          <div />
        </div>
      )}
    </div>
  );
}
